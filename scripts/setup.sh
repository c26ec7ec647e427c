#!/bin/sh
# Makes this machine ready: `scripts/setup.sh run` to build everything and run the server, `scripts/setup.sh probe` to
# measure with rtsp-clock-probe, `scripts/setup.sh test` to run the tests as well. launch.sh and test.sh read this file in
# and call `set_up`.

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "$@"
    exit 1
}

# set_up ROOT run|probe|test
set_up() {
    find_rustup
    require_rust "$(wanted_rust "$1/Cargo.toml")"
    install_missing "$2"
    [ "$2" != test ] || install_clients "$1"
}

# A Rust that was installed a minute ago is not in the PATH of a shell that was open before.
find_rustup() {
    PATH=${CARGO_HOME:-${HOME:-/root}/.cargo}/bin:$PATH
    export PATH
}

wanted_rust() {
    sed -n 's/^rust-version *= *"\(.*\)".*/\1/p' "$1"
}

# The distribution's Rust is never installed in its place: it is too old on most.
require_rust() {
    found=$(rustc --version 2>/dev/null | awk '{ print $2 }') || true
    if [ -z "$found" ] || ! command -v cargo >/dev/null 2>&1; then
        say "Rust is missing; $1 or newer is needed. Install it, then start again:"
    elif older "$found" "$1"; then
        say "Rust $found is too old; $1 or newer is needed. Install a newer one, then start again:"
    else
        return 0
    fi
    die "    $(rust_line)"
}

rust_line() {
    if command -v rustup >/dev/null 2>&1; then
        echo "rustup update stable && rustup default stable"
    else
        echo "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
    fi
}

# older A B: whether version A comes before version B
older() {
    printf '%s %s\n' "$1" "$2" | awk '{
        split($1, a, "."); split($2, b, ".")
        for (i = 1; i <= 3; i++) if (a[i] + 0 != b[i] + 0) exit !(a[i] + 0 < b[i] + 0)
        exit 1
    }'
}

# install_missing run|probe|test
install_missing() {
    manager=$(package_manager) || die "No package manager known here (apt-get, dnf, pacman, zypper, brew)." \
        "Install GStreamer 1.22 or newer with its base, good and ugly plugins, gst-rtsp-server, Pango and cairo," \
        "each with its development files."
    missing=
    for package in $(packages "$manager" "$1"); do
        is_installed "$manager" "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "Installing with $manager:$missing"
    # shellcheck disable=SC2086 # names of packages: one word each
    install_packages "$manager" $missing
}

package_manager() {
    for manager in apt-get dnf pacman zypper brew; do
        if command -v "$manager" >/dev/null 2>&1; then
            echo "$manager"
            return 0
        fi
    done
    return 1
}

# packages MANAGER run|probe|test: `run` builds and runs, `probe` plays as well, `test` is that and the tools of the
# tests.
packages() {
    case $1 in
        apt-get) packages_apt "$2" ;;
        dnf) packages_dnf "$2" ;;
        pacman) packages_pacman "$2" ;;
        zypper) packages_zypper "$2" ;;
        brew) packages_brew "$2" ;;
    esac
}

# gstreamer1.0-x: Debian keeps the overlays of text there. glib-networking: TLS for GLib. motion: the tests want it here
# alone. prometheus: promtool, which reads the metrics.
packages_apt() {
    echo gcc libc6-dev pkg-config libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstrtspserver-1.0-dev \
        libpango1.0-dev libcairo2-dev gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly \
        gstreamer1.0-plugins-bad fonts-dejavu-core tzdata glib-networking
    [ "$1" = run ] || echo gstreamer1.0-libav
    [ "$1" != test ] || echo git gstreamer1.0-tools gstreamer1.0-x ffmpeg tesseract-ocr faketime shellcheck procps \
        iproute2 zbar-tools libzbar0 python3-opencv python3-venv openssl mpv curl motion \
        prometheus
}

# H.264 is in gstreamer1-plugins-ugly, which is RPM Fusion's; without it the codec `mjpeg` works.
packages_dnf() {
    echo gcc pkgconf-pkg-config gstreamer1-devel gstreamer1-plugins-base-devel gstreamer1-rtsp-server-devel \
        pango-devel cairo-devel gstreamer1-plugins-base gstreamer1-plugins-good gstreamer1-plugins-bad-free \
        dejavu-sans-mono-fonts tzdata glib-networking
    ! dnf -q list gstreamer1-plugins-ugly >/dev/null 2>&1 || echo gstreamer1-plugins-ugly
    [ "$1" = run ] || echo gstreamer1-plugin-libav
    [ "$1" != test ] || echo git ffmpeg-free tesseract libfaketime ShellCheck procps-ng iproute zbar python3-opencv \
        openssl mpv curl
}

packages_pacman() {
    echo gcc pkgconf gstreamer gst-plugins-base gst-plugins-good gst-plugins-bad gst-plugins-ugly \
        gst-rtsp-server pango cairo ttf-dejavu tzdata glib-networking
    [ "$1" = run ] || echo gst-libav
    [ "$1" != test ] || echo git ffmpeg tesseract tesseract-data-eng libfaketime shellcheck procps-ng iproute2 zbar \
        python-opencv openssl mpv curl prometheus
}

# H.264 is in Packman's gstreamer-plugins-ugly; openSUSE's own lacks x264, and the codec `mjpeg` works.
packages_zypper() {
    echo gcc pkgconf gstreamer-devel gstreamer-plugins-base-devel gstreamer-rtsp-server-devel pango-devel cairo-devel \
        gstreamer-plugins-base gstreamer-plugins-good gstreamer-plugins-bad gstreamer-plugins-ugly dejavu-fonts \
        timezone glib-networking
    [ "$1" = run ] || echo gstreamer-plugins-libav
    [ "$1" != test ] || echo git gstreamer-utils ffmpeg tesseract-ocr tesseract-ocr-traineddata-english libfaketime \
        ShellCheck procps iproute2 zbar python3-opencv openssl mpv curl
}

# Homebrew's gstreamer has the plugins and the RTSP server in it.
packages_brew() {
    echo pkgconf gstreamer pango cairo glib-networking
    [ "$1" != test ] || echo ffmpeg tesseract libfaketime shellcheck zbar opencv openssl mpv prometheus
}

# install_clients ROOT: the tests' clients for Python, in a virtual environment beside what cargo builds; anew where the
# list of them has changed, or where the Python that they were for is gone. Without them the tests fail that play them.
install_clients() {
    list=$1/scripts/requirements.txt
    python=${CARGO_TARGET_DIR:-$1/target}/python
    ! has_clients || return 0
    say "Installing the tests' clients for Python into $python"
    rm -rf "$python"
    make_clients || say "The tests' clients for Python cannot be installed."
}

has_clients() {
    cmp -s "$list" "$python/requirements.txt" &&
        "$python/bin/python" -c 'import aiortsp, aio_rtsp_toolkit, prometheus_client, schemathesis' 2>/dev/null
}

make_clients() {
    python3 -m venv "$python" &&
        "$python/bin/python" -m pip install --quiet --require-hashes --only-binary :all: --requirement "$list" &&
        cp "$list" "$python/requirements.txt"
}

# is_installed MANAGER PACKAGE
is_installed() {
    case $1 in
        apt-get) dpkg-query -W -f '${db:Status-Status}\n' "$2" 2>/dev/null | grep -qx installed ;;
        dnf | zypper) rpm -q --whatprovides "$2" >/dev/null 2>&1 ;;
        pacman) pacman -T "$2" >/dev/null 2>&1 ;;
        brew) brew list --versions "$2" >/dev/null 2>&1 ;;
    esac
}

# install_packages MANAGER PACKAGE...
install_packages() {
    manager=$1
    shift
    case $manager in
        apt-get)
            as_root apt-get update
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
            ;;
        dnf) as_root dnf install -y "$@" ;;
        pacman) as_root pacman -S --needed --noconfirm "$@" ;;
        zypper) as_root zypper --non-interactive install "$@" ;;
        brew) brew install "$@" ;;
    esac
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        die "This needs root, and there is no sudo here. Run as root:" "$@"
    fi
}

case ${0##*/} in
    setup.sh)
        set -eu
        case ${1-} in
            run | probe | test) set_up "$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)" "$1" ;;
            *) die "usage: scripts/setup.sh run|probe|test" ;;
        esac
        ;;
esac
