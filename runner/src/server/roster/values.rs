//! What streams count and are made of, as the plain values of a status.

use crate::{
    config::StreamConfig,
    launch,
    status::{
        FrameCounts, LatenessClass, LatenessStatus, LatenessSummary, MadeOf, PictureStatus, ReportStatus,
        SentStatus,
    },
    stream::{
        Frames,
        departures::{BOUNDS, Departures, Lateness},
        receivers::Report,
        sent::Sent,
    },
};

/// How many frames.
pub(super) fn frames(Frames { rendered, skipped }: Frames) -> FrameCounts {
    FrameCounts {
        made: rendered,
        skipped,
    }
}

/// How late they left.
pub(super) fn lateness(departures: &Departures) -> LatenessStatus {
    let summary = |lateness: &Lateness| LatenessSummary {
        frames: lateness.frames,
        late: lateness.late,
        total_seconds: lateness.sum.as_secs_f64(),
        most_seconds: lateness.most.as_secs_f64(),
    };
    let bounds = BOUNDS.iter().map(|bound| Some(bound.as_secs_f64())).chain([None]);
    let class = |(up_to_seconds, frames): (_, &u64)| LatenessClass {
        up_to_seconds,
        frames: *frames,
    };
    LatenessStatus {
        all: summary(&departures.all),
        lately: summary(&departures.lately),
        classes: bounds.zip(&departures.classes).map(class).collect(),
    }
}

/// What was sent.
pub(super) fn sent_status(Sent { packets, bytes }: Sent) -> SentStatus {
    SentStatus { packets, bytes }
}

/// What a receiver reports.
pub(super) fn report_status(report: Report) -> ReportStatus {
    ReportStatus {
        medium: report.medium,
        at: report.at,
        fraction_lost: report.fraction_lost,
        packets_lost: report.packets_lost,
        jitter_seconds: report.jitter_seconds,
    }
}

/// What a stream of that configuration is made of.
pub(super) fn made_of(config: &StreamConfig) -> MadeOf {
    let picture = launch::encoder(config).map(|encoder| PictureStatus {
        codec: config.codec,
        encoder: encoder.into(),
        width: config.width,
        height: config.height,
        frames_per_second: config.frames_per_second.to_string(),
    });
    MadeOf {
        picture,
        audio: config.audio.map(|codec| codec.to_string()),
        launch: launch::shown(config),
    }
}
