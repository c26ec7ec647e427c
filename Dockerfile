# The camera as a container image: `docker build -t rtsp-clock-server:latest .`, or let ./launch.sh do it.
# Kept to what every builder understands: no --mount, no here-documents.

# --- The workspace with empty sources: it changes only when a manifest does. ---
FROM rust:1-trixie AS manifests
WORKDIR /build
COPY . .
RUN rm -r runner/page \
    && find . -path '*/src/*.rs' ! -name lib.rs ! -name main.rs -delete \
    && find . -type d -empty -delete \
    && find . -name '*.rs' ! -path ./build.rs | while read -r file; do echo 'fn main() {}' >"$file"; done

# --- The build. The dependencies are a layer of their own, kept while the manifests stay as they are. ---
FROM rust:1-trixie AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstrtspserver-1.0-dev libpango1.0-dev libcairo2-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY --from=manifests /build .
RUN cargo build --release --locked
COPY . .
# Cargo goes by modification times, and the real sources are older than what was just built from the empty ones.
RUN find . -name '*.rs' -not -path './target/*' -exec touch {} + && cargo build --release --locked

# --- GStreamer's plugins and Noto's fonts, only those used: as packages they bring GTK, LLVM and Mesa, and 40 MB. ---
FROM debian:trixie-slim AS plugins
WORKDIR /packages
RUN apt-get update \
    && apt-get download gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad \
        gstreamer1.0-plugins-ugly libgstreamer-plugins-bad1.0-0 libgstrtspserver-1.0-0 fonts-noto-core \
    && for package in *.deb; do dpkg -x "$package" unpacked; done
# The third line is what the probe plays with.
RUN for plugin in app typefindfunctions videoconvertscale videorate videotestsrc \
        jpeg mulaw opus png rtp rtpmanager udp voaacenc x264 x265 \
        alaw audioconvert audioparsers audioresample de265 faad isomp4 matroska mpegtsdemux openh264 opusparse playback \
        rtsp tcp videoparsersbad vpx; do \
        set -- "$@" unpacked/usr/lib/*/gstreamer-1.0/libgst$plugin.so; \
    done \
    && noto=unpacked/usr/share/fonts/truetype/noto \
    && for file in "$@" unpacked/usr/lib/*/libgst[rcm]*-1.0.so.* unpacked/usr/share/doc/*/copyright \
        $noto/NotoSans*-Bold.ttf $noto/NotoSerifTibetan-Bold.ttf $noto/NotoSansMongolian-Regular.ttf; do \
        target=/collected${file#unpacked}; mkdir -p "${target%/*}" && cp -a "$file" "$target" || exit 1; \
    done
COPY --from=build /build/target/release/libgstclocksrc.so /tmp/
RUN cp /tmp/libgstclocksrc.so /collected/usr/lib/*/gstreamer-1.0/
COPY --from=build /build/target/release/rtsp-clock-server /build/target/release/rtsp-clock-probe /collected/usr/local/bin/

# --- What runs. ---
FROM debian:trixie-slim
# Labels are written in any script. DejaVu has Latin, Greek, Cyrillic, Hebrew and Arabic; WenQuanYi (5 MB) what Chinese,
# Japanese and Korean are written in, Symbola (3 MB) the emoji without colours, and Noto's bold ones (6 MB) the scripts of
# South and South East Asia, Ethiopia and some more.
LABEL org.opencontainers.image.title="rtsp-clock-server" \
      org.opencontainers.image.description="RTSP test camera whose picture is a clock that tells the truth about time" \
      org.opencontainers.image.licenses="MIT"
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        fontconfig fonts-dejavu-core fonts-symbola fonts-wqy-microhei glib-networking gstreamer1.0-tools libde265-0 libfaad2 \
        libgstreamer-plugins-base1.0-0 libjpeg62-turbo libopenh264-8 libopus0 libpangocairo-1.0-0 libpangoft2-1.0-0 libvo-aacenc0 libvpx9 libx264-164 libx265-215 \
        tzdata \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
    && mkdir /app /var/cache/gstreamer-1.0 \
    && echo '{}' >/app/config.json
COPY --from=plugins /collected/ /

# Whatever user the container runs as: the caches of plugins and fonts are ready, so that nothing needs a home to write
# to. The fonts' is valid for a folder's time to the nanosecond, and layers keep whole seconds. GStreamer leaves its own
# readable to root only.
ENV GST_REGISTRY=/var/cache/gstreamer-1.0/registry.bin
# /root can be passed through: launch.sh may mount a file below it.
RUN chmod 0711 /root
# Fails where a plugin lacks a library, or an element that the server needs its plugin.
RUN ldconfig \
    && find /usr/share/fonts /usr/local/share/fonts -type d -exec touch --date=@1 {} + && fc-cache --force --system-only \
    && ! ldd /usr/local/bin/rtsp-clock-* /usr/lib/*/gstreamer-1.0/*.so | grep 'not found' \
    && for element in appsink alawdec alawenc capsfilter decodebin jpegenc mulawenc opusenc pngenc queue rtpbin rtph264pay rtpjpegpay rtpmp4gpay \
        rtph265pay rtpopuspay rtppcmapay rtppcmupay rtpvp8pay rtpvp9pay udpsink videoconvert videoconvertscale videorate \
        videoscale voaacenc vp8enc vp9enc x264enc x265enc \
        audioconvert audioresample faad h264parse h265parse jpegdec libde265dec matroskademux mulawdec openh264dec \
        opusdec qtdemux rtspsrc tsdemux uridecodebin vp8dec vp9dec; do \
        gst-inspect-1.0 --exists "$element" || { echo "no element $element" >&2; exit 1; }; \
    done \
    && chmod 0444 "$GST_REGISTRY"

ENV CONFIG_PATH=/app/config.json \
    LANG=C.UTF-8 \
    RTSP_DEFAULT_HTTP_ADDRESS=0.0.0.0 \
    RTSP_DEFAULT_RTP_PORT_RANGE=50000-50019
WORKDIR /app
USER 10001:10001
EXPOSE 8554/tcp 8080/tcp 50000-50019/udp
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["rtsp-clock-server", "--healthcheck"]
ENTRYPOINT ["rtsp-clock-server"]
