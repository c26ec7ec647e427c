//! retina: a client that shares nothing with the others. Its frames are depacketized, not decoded: that is what it is for.

use futures::StreamExt as _;
use retina::client::{Credentials, PlayOptions, Session, SessionOptions, SetupOptions};
use retina::codec::CodecItem;

use crate::clients::{FRAMES, Task};

/// What has come of a stream.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) pictures: usize,
    pub(crate) sounds: usize,
}

/// Plays the picture alone.
pub(crate) fn retina(task: &Task) -> Result<usize, String> {
    let enough = Counts {
        pictures: FRAMES,
        sounds: 0,
    };
    play_until(task, 1, enough).map(|counts| counts.pictures)
}

/// Plays picture and sound as it does by itself: by the RTP-Info of the answer to PLAY.
pub(crate) fn retina_with_sound(task: &Task) -> Result<Counts, String> {
    let enough = Counts {
        pictures: FRAMES,
        sounds: FRAMES,
    };
    play_until(task, 2, enough)
}

fn play_until(task: &Task, streams: usize, enough: Counts) -> Result<Counts, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        match tokio::time::timeout(task.patience, play(task, streams, enough)).await {
            Ok(outcome) => outcome.map_err(|error| error.to_string()),
            Err(_) => Err(format!("not {enough:?} after {:?}", task.patience)),
        }
    })
}

async fn play(task: &Task, streams: usize, enough: Counts) -> Result<Counts, Box<dyn std::error::Error>> {
    let transport = task.transport.retina.ok_or("it cannot be asked for that")?;
    let credentials = task.credentials.as_ref().map(|(name, password)| Credentials {
        username: (*name).into(),
        password: password.clone(),
    });
    let options = SessionOptions::default().creds(credentials);
    let mut session = Session::describe(url::Url::parse(&task.url)?, options).await?;
    if session.streams().len() != streams {
        return Err(format!("it finds {} streams", session.streams().len()).into());
    }
    for stream in 0..streams {
        let options = SetupOptions::default().transport(transport());
        session.setup(stream, options).await?;
    }
    let mut items = session.play(PlayOptions::default()).await?.demuxed()?;
    let mut counts = Counts::default();
    while counts.pictures < enough.pictures || counts.sounds < enough.sounds {
        match items.next().await.transpose()? {
            Some(CodecItem::VideoFrame(_)) => counts.pictures += 1,
            Some(CodecItem::AudioFrame(_)) => counts.sounds += 1,
            Some(_) => {}
            None => break,
        }
    }
    Ok(counts)
}
