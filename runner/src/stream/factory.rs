//! The media factory of a camera: whoever asks, and by whichever way, gets the same pipeline.
//!
//! By default gst-rtsp-server shares a pipeline among those who wrote the same port, path and query into their URL. A
//! viewer behind a port that is forwarded would see another run of the clock and not count among the others, and any
//! query that somebody thinks of would start another encoder.

use gst::glib;
use gst_rtsp_server::RTSPMediaFactory;

glib::wrapper! {
    /// A shared factory of one camera.
    pub(crate) struct CameraFactory(ObjectSubclass<imp::CameraFactory>) @extends RTSPMediaFactory;
}

impl Default for CameraFactory {
    fn default() -> Self {
        glib::Object::new()
    }
}

mod imp {
    use gst::glib;
    use gst::prelude::*;
    use gst::subclass::prelude::*;
    use gst_rtsp::RTSPUrl;
    use gst_rtsp_server::subclass::prelude::*;

    use crate::launch::{access_units, syntax::PICTURE_PAYLOADER};

    #[derive(Debug, Default)]
    pub(crate) struct CameraFactory;

    #[glib::object_subclass]
    impl ObjectSubclass for CameraFactory {
        const NAME: &'static str = "RtspClockCameraFactory";
        type Type = super::CameraFactory;
        type ParentType = super::RTSPMediaFactory;
    }

    impl ObjectImpl for CameraFactory {}

    impl RTSPMediaFactoryImpl for CameraFactory {
        fn create_element(&self, url: &RTSPUrl) -> Option<gst::Element> {
            let element = self.parent_create_element(url)?;
            if let Some(bin) = element.downcast_ref::<gst::Bin>()
                && let Some(payloader) = bin.by_name(PICTURE_PAYLOADER)
            {
                access_units::keep_whole(bin, &payloader);
            }
            Some(element)
        }

        fn gen_key(&self, _url: &RTSPUrl) -> Option<glib::GString> {
            Some("camera".into())
        }
    }
}
