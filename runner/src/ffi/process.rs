//! The limits and the memory of this process.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Blocks of memory from this size on, in bytes, go back to the system once they are free: an encoder's state and its
/// pictures are as large.
#[cfg(target_env = "gnu")]
const LARGE: libc::c_int = 64 * 1024;

/// Has the memory that a stream took go back to the system when its pipeline is gone, and not only to glibc's malloc,
/// which would keep more and more of it with every pipeline that comes and goes: malloc takes ever larger blocks for
/// small ones once they have been freed, and keeps apart what each thread has freed. `threads` is how many run at the
/// same time.
pub fn give_memory_back(threads: usize) {
    #[cfg(target_env = "gnu")]
    {
        let arenas = libc::c_int::try_from(threads.max(2)).unwrap_or(libc::c_int::MAX);
        for (parameter, value) in [
            (libc::M_MMAP_THRESHOLD, LARGE),
            (libc::M_TRIM_THRESHOLD, 2 * LARGE),
            (libc::M_ARENA_MAX, arenas),
        ] {
            #[expect(unsafe_code, reason = "std does not set its allocator")]
            // SAFETY: it changes numbers that malloc looks at, under malloc's own lock.
            let done = unsafe { libc::mallopt(parameter, value) };
            if done == 0 {
                tracing::debug!(target: "server", parameter, value, "malloc takes no such setting");
            }
        }
    }
    #[cfg(not(target_env = "gnu"))]
    let _ = threads;
}

/// Gives malloc's free memory back to the system, also where it lies between blocks that are in use. That takes
/// milliseconds, in which nobody else gets any memory: it is not for every day.
pub(crate) fn trim_memory() {
    #[cfg(target_env = "gnu")]
    {
        let begun = std::time::Instant::now();
        #[expect(unsafe_code, reason = "std does not know its allocator")]
        // SAFETY: it takes malloc's own locks, and touches nothing but what is free.
        let released = unsafe { libc::malloc_trim(0) };
        tracing::debug!(target: "server", released, "trimmed the memory within {:?}", begun.elapsed());
    }
}

/// Raises the number of files and sockets that this process may open to what the system allows it at most.
///
/// # Errors
/// When the system refuses.
pub fn raise_descriptor_limit() -> io::Result<u64> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    Ok(most)
}
