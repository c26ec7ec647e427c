//! The threads of a pipeline that makes pictures: they run at the lowest priority, so that whoever plays a stream misses nothing
//! because others look at some.
//!
//! GStreamer takes the threads of all pipelines from one pool, and gives them back: one that has been lowered there would stream
//! slowly ever after. So each of these is started anew, and ends with what it does.

use gst::{glib, prelude::*};

glib::wrapper! {
    /// Starts a thread of the lowest priority for each task.
    struct LowPriorityPool(ObjectSubclass<imp::LowPriorityPool>) @extends gst::TaskPool, gst::Object;
}

/// Has the task that is being created run at the lowest priority, where `message` says that one is.
pub(super) fn lower(message: &gst::message::StreamStatus) {
    if message.type_() != gst::StreamStatusType::Create {
        return;
    }
    let task = message.stream_status_object();
    if let Some(task) = task.and_then(|task| task.get::<gst::Task>().ok()) {
        task.set_pool(&glib::Object::new::<LowPriorityPool>());
    }
}

mod imp {
    use std::thread::{self, JoinHandle};

    use gst::{
        TaskHandle, glib,
        subclass::{TaskPoolFunction, prelude::*},
    };

    use crate::ffi::process;

    #[derive(Debug, Default)]
    pub(super) struct LowPriorityPool;

    #[glib::object_subclass]
    impl ObjectSubclass for LowPriorityPool {
        const NAME: &'static str = "RtspClockLowPriorityPool";
        type Type = super::LowPriorityPool;
        type ParentType = gst::TaskPool;
    }

    impl ObjectImpl for LowPriorityPool {}
    impl GstObjectImpl for LowPriorityPool {}

    impl TaskPoolImpl for LowPriorityPool {
        type Handle = Thread;

        fn push(&self, task: TaskPoolFunction) -> Result<Option<Thread>, glib::Error> {
            // GStreamer names the thread by what it does.
            let started = thread::Builder::new().spawn(move || {
                if let Err(error) = process::lower_priority_of_thread() {
                    tracing::warn!(target: "stream", "pictures are made at the priority of streams: {error}");
                }
                task.call();
            });
            let refusal =
                |error| glib::Error::new(gst::ResourceError::Failed, &format!("no thread: {error}"));
            started.map(|thread| Some(Thread(thread))).map_err(refusal)
        }
    }

    /// The thread of a task.
    pub(super) struct Thread(JoinHandle<()>);

    impl TaskHandle for Thread {
        fn join(self) {
            if self.0.join().is_err() {
                tracing::error!(target: "stream", "a thread that makes pictures has panicked");
            }
        }
    }
}
