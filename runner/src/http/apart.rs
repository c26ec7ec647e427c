//! Work that takes longer than others may wait for their answers: it is done apart from the thread that answers.

use axum::http::StatusCode;
use tokio::task::spawn_blocking;

use super::problem::Problem;

/// How many threads there may be for that. One change of the configuration is made at a time, and has one of them as long as
/// it takes; the others read what has come meanwhile.
pub(super) const MOST_THREADS: usize = 3;

/// Does `work` apart from the thread that answers. What has begun comes to its end, whether somebody still waits for it or not.
///
/// # Errors
/// When it has panicked; the hook has told of that.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let done = spawn_blocking(work).await;
    done.map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "it has failed"))
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn others_are_answered_meanwhile() {
        let (other, answered) = mpsc::channel();
        let work = apart(move || answered.recv_timeout(Duration::from_secs(30)));
        let runtime = Builder::new_current_thread().build().unwrap();
        let (done, sent) = runtime.block_on(async { tokio::join!(work, async { other.send(7) }) });
        sent.unwrap();
        assert_eq!(done.unwrap(), Ok(7));
    }

    #[test]
    fn what_fails_is_a_problem_of_the_server() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let failed = runtime.block_on(apart(|| assert_eq!(1, 2, "it fails on purpose")));
        assert_eq!(failed.unwrap_err().status, 500);
    }
}
