//! Whether the system has room for more threads.
//!
//! Libraries in C end the process where they cannot have a thread (`g_thread_new` of GLib, with which Pango looks for
//! fonts): whoever is about to call them asks here first. Somebody else may take the room meanwhile; but what is refused
//! here is refused, and the process goes on.

use std::{io, thread::Builder};

use parking_lot::Mutex;

/// What the system gives a thread of a library in C for its stack, in bytes, where nothing else is set.
const STACK: usize = 8 * 1024 * 1024;

/// Has `count` more threads at the same time, for a moment.
///
/// # Errors
/// What the system says where it has no room for so many.
pub fn try_some(count: usize) -> io::Result<()> {
    try_with(count, STACK)
}

/// With stacks of so many bytes.
fn try_with(count: usize, stack: usize) -> io::Result<()> {
    // Each waits until all have come, or one could not.
    let door = Mutex::new(());
    std::thread::scope(|scope| {
        let closed = door.lock();
        let spawn = |_| {
            let thread = Builder::new().stack_size(stack);
            thread.spawn_scoped(scope, || drop(door.lock())).map(drop)
        };
        let result = (0..count).try_for_each(spawn);
        drop(closed);
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_a_few() {
        try_some(4).unwrap();
    }

    #[test]
    fn what_no_system_has_is_refused() {
        // All that a process can address is two of them.
        try_with(4, 1 << 46).unwrap_err();
    }
}
