//! The limits and the memory of this process, and the priority of its threads.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Gives malloc's free memory back to the system, also where it lies between blocks that are in use. That takes
/// milliseconds, in which nobody else gets any memory: it is not for every day.
///
/// Settings of malloc that would have it give all back by itself (`M_MMAP_THRESHOLD`, `M_ARENA_MAX`) were tried beside this:
/// after a hundred streams have come and gone five times they leave 45 MB in place of 48 to 56, after a thousand viewers 40
/// in place of 43; and they cost some 6 % of CPU, for what a picture takes is asked for anew each time.
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

/// Has the calling thread, and those that it starts, run at the lowest priority from now on: it gets what others leave. Linux
/// alone knows a priority of each thread; elsewhere this does nothing. Whoever has no privilege cannot raise it again.
///
/// # Errors
/// When the system refuses.
pub(crate) fn lower_priority_of_thread() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        /// What `nice` calls it.
        const LOWEST: libc::c_int = 19;
        /// The calling one.
        const THIS_THREAD: libc::id_t = 0;
        #[expect(unsafe_code, reason = "neither std nor nix has it")]
        // SAFETY: it takes three numbers, and touches no memory of this process.
        let answer = unsafe { libc::setpriority(libc::PRIO_PROCESS, THIS_THREAD, LOWEST) };
        nix::errno::Errno::result(answer)?;
    }
    Ok(())
}
