#!/bin/sh
# Tests launch.sh and setup.sh with stand-ins for docker, cargo and the package managers. Nothing is installed, built or
# started, and no tool outside a short list is in reach.
# shellcheck disable=SC2016 # the stand-ins' scripts are theirs to expand
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
passed=0 failed=0

# --- Places to test in -----------------------------------------------------------------------------------------------

# A fresh copy of what launch.sh reads, in a directory whose name needs care, with stand-ins in PATH.
# Files in $state are the stand-ins' settings and what they were told.
new_place() {
    place="$top/$1/a place, with \"care\""
    state=$top/$1/state
    bin=$top/$1/bin
    mkdir -p "$place/scripts" "$place/src" "$state" "$bin" "$top/$1/tmp" "$top/$1/elsewhere"
    cp "$here/launch.sh" "$here/Cargo.toml" "$here/Dockerfile" "$place"
    cp "$here/scripts/setup.sh" "$place/scripts"
    printf '*\n!Cargo.toml\n!src\n' >"$place/.dockerignore"
    echo '// nothing' >"$place/src/lib.rs"
    echo '{ "viewerPassword": "from-the-file" }' >"$place/config.json"
    for tool in awk cat chmod cksum cp dirname env find grep ls mkdir mktemp od readlink rm sed sh sleep sort touch tr; do
        ln -s "$(command -v "$tool")" "$bin/$tool"
    done
    docker_stand_in
    stand_in id 'cat "$STATE/uid"'
    stand_in ip 'echo "2: eth0    inet 192.0.2.7/24 scope global eth0"; echo "3: docker0    inet 172.17.0.1/16 x docker0"'
    elsewhere=$(CDPATH='' cd -- "$top/$1/elsewhere" && pwd)
    config=mounts/app/config.json # below $state: what the container got
    touch "$state/calls"
    echo 0 >"$state/uid"
    echo "-p 8554:8554/tcp -p 50000-50019:50000-50019/udp" >"$state/flags"
}

# stand_in NAME SCRIPT: a program that notes how it was called, then runs SCRIPT.
stand_in() {
    # What stands there may be a link to the machine's own tool, and writing would go through it.
    rm -f "$bin/$1"
    {
        echo '#!/bin/sh'
        echo 'printf "%s" "${0##*/}" >>"$STATE/calls"'
        echo 'for argument; do printf " [%s]" "$argument" >>"$STATE/calls"; done; echo >>"$STATE/calls"'
        printf '%s\n' "$2"
    } >"$bin/$1"
    chmod +x "$bin/$1"
}

docker_stand_in() {
    stand_in docker '
        case $1-$2 in
            info-* | info) [ ! -e "$STATE/no-engine" ] || { echo "cannot connect" >&2; exit 1; } ;;
            image-inspect) cat "$STATE/label" 2>/dev/null ;;
            build-*) printf "%s\n" "${3#*=}" >"$STATE/label" ;;
            run-*) . "$STATE/../run" ;;
        esac'
    cat >"$state/../run" <<'END'
case "$*" in
    *--print-files) cat "$STATE/files" 2>/dev/null; exit "$(cat "$STATE/status-of-files" 2>/dev/null || echo 0)" ;;
    *--print-docker-flags*) [ ! -e "$STATE/refuse" ] || { echo "serverPort: no" >&2; exit 1; }; cat "$STATE/flags"; exit ;;
esac
env >"$STATE/env"
for argument; do
    case $argument in
        type=bind,*,readonly)
            source=$(printf '%s' "$argument" | sed 's/^type=bind,"source=\(.*\)","target=.*/\1/; s/""/"/g')
            target=$(printf '%s' "$argument" | sed 's/.*","target=\(.*\)",readonly$/\1/; s/""/"/g')
            note=$STATE/mounts/$target
            mkdir -p "${note%/*}"
            cp "$source" "$note"
            ls -l "$source" >"$note.mode"
            ls -ld "$(dirname "$source")" >"$note.mode-of-directory"
            printf '%s\n' "$source" >"$note.source"
            ;;
    esac
done
if [ -e "$STATE/serve" ]; then
    sleep 60 &
    trap 'kill "$!"; echo stopped >"$STATE/stopped"; exit 0' TERM
    touch "$STATE/serving"
    wait
fi
exit "$(cat "$STATE/status" 2>/dev/null || echo 0)"
END
}

# there PATH [MODE]: a file that says where it is, and stands among those that the configuration names.
there() {
    (
        cd "$state/../elsewhere"
        mkdir -p -- "$(dirname -- "$1")"
        printf 'this is %s\n' "$1" >"$1"
        chmod -- "${2:-0644}" "$1"
    )
    names "$1"
}

# names PATH: has the server say that the configuration names the file
names() {
    case $1 in
        /*) printf '%s\n' "$1" ;;
        *) printf '%s\n' "$elsewhere/$1" ;;
    esac >>"$state/files"
}

# A machine without an engine, with a Rust of the version $1 that builds a server which tells what it got.
native_machine() {
    touch "$state/no-engine"
    stand_in rustc "echo 'rustc $1 (0123 2030-01-01)'"
    stand_in cargo '
        mkdir -p target/release
        cp "$STATE/server" target/release/rtsp-clock-server
        cp "$STATE/server" target/release/rtsp-clock-probe'
    stand_in server 'env >"$STATE/env"; exit "$(cat "$STATE/status" 2>/dev/null || echo 0)"'
    mv "$bin/server" "$state/server"
    stand_in apt-get ''
    stand_in dpkg-query 'echo installed'
}

# launch [NAME=VALUE...] -- ARGUMENT...: runs launch.sh from another directory, with its exit status in $status.
launch() {
    run_launcher "$place/launch.sh" "$@"
}

run_launcher() {
    program=$1
    shift
    status=0
    (
        cd "$state/../elsewhere"
        unset GST_PLUGIN_PATH
        while [ "$1" != -- ]; do
            export "${1?}"
            shift
        done
        shift
        exec env -u CARGO_HOME -u CARGO_TARGET_DIR -u CONFIG_PATH ${config_path:+CONFIG_PATH="$config_path"} \
            STATE="$state" HOME="$state" TMPDIR="$state/../tmp" PATH="$bin" "$program" "$@"
    ) >"$state/out" 2>"$state/err" </dev/null || status=$?
}

# --- What is asserted ------------------------------------------------------------------------------------------------

fail() {
    {
        echo "FAILED $name: $*"
        for file in calls out err; do
            echo "--- $file:"
            cat "$state/$file" 2>/dev/null || true
        done
    } >&2
    exit 1
}

exits() {
    [ "$status" -eq "$1" ] || fail "exit status $status, not $1"
}

# has FILE TEXT, has_no FILE TEXT
has() {
    grep -qF -e "$2" "$state/$1" || fail "no '$2' in $1"
}

has_no() {
    ! grep -qF -e "$2" "$state/$1" 2>/dev/null || fail "'$2' in $1"
}

# called TIMES TEXT: how often a program was called in this way
called() {
    times=$(grep -cF -e "$2" "$state/calls") || true
    [ "$times" -eq "$1" ] || fail "'$2' called $times times, not $1"
}

# until_there FILE: waits for what another process makes, ten seconds at most
until_there() {
    tries=200
    while [ ! -e "$1" ]; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || fail "no $1 after ten seconds"
        sleep 0.05
    done
}

# --- With a Docker Engine --------------------------------------------------------------------------------------------

test_builds_the_image_once() {
    launch -- && launch --
    exits 0
    called 1 'docker [build]'
}

test_builds_again_when_a_source_changed() {
    launch --
    echo '// more' >>"$place/src/lib.rs"
    launch --
    called 2 'docker [build]'
}

test_builds_again_when_the_dockerfile_changed() {
    launch --
    echo '# more' >>"$place/Dockerfile"
    launch --
    called 2 'docker [build]'
}

test_does_not_build_for_a_new_test() {
    launch --
    mkdir "$place/src/tests"
    echo '// nothing' >"$place/src/tests/new.rs"
    launch --
    called 1 'docker [build]'
}

test_does_not_build_for_a_new_configuration() {
    launch --
    echo '{}' >"$place/config.json"
    launch --
    called 1 'docker [build]'
}

test_builds_when_told_to() {
    launch --
    launch -- --build
    called 2 'docker [build]'
    has_no calls '[--build]'
}

test_a_failed_build_ends_it() {
    sed 's/build-\*)/build-*) exit 3 ;; never)/' "$bin/docker" >"$bin/new"
    cat "$bin/new" >"$bin/docker"
    launch --
    [ "$status" -ne 0 ] || fail "exit status 0"
    called 0 'docker [run]'
}

test_runs_with_the_ports_that_the_image_names() {
    launch --
    exits 0
    called 1 '[rtsp-clock-server:latest] [--print-docker-flags]'
    called 1 '[-p] [8554:8554/tcp] [-p] [50000-50019:50000-50019/udp]'
    called 3 'docker [run] [--rm]'
}

test_makes_a_token_where_the_server_asks_for_one() {
    echo "-p 8554:8554/tcp -p 127.0.0.1:8081:8081/tcp --env=RTSP_DEFAULT_HTTP_TOKEN" >"$state/flags"
    launch --
    exits 0
    token=$(sed -n 's/^RTSP_DEFAULT_HTTP_TOKEN=//p' "$state/env")
    [ "${#token}" = 32 ] || fail "the token is \"$token\""
    has err "http://127.0.0.1:8081/#token=$token"
    has_no calls "$token"
}

test_makes_no_token_where_there_is_one() {
    launch --
    has_no env RTSP_DEFAULT_HTTP_TOKEN
    has_no err token
}

test_mounts_the_configuration_beside_it() {
    launch --
    has calls '"target=/app/config.json",readonly] [rtsp-clock-server:latest]'
    has "$config.source" "$place/config.json"
    has "$config" from-the-file
    has_no err restart
}

test_mounts_the_configuration_named() {
    echo '{ "other": 1 }' >"$state/../elsewhere/my config.json"
    launch -- --config 'my config.json'
    has "$config" other
    echo '{ "another": 1 }' >"$state/../elsewhere/my config.json"
    launch -- "--config=$state/../elsewhere/my config.json"
    has "$config" another
    has_no calls '[--config'
}

test_mounts_the_configuration_of_the_environment() {
    echo '{ "other": 1 }' >"$state/../elsewhere/mine.json"
    config_path=mine.json launch --
    has "$config" other
}

test_runs_without_a_configuration() {
    rm "$place/config.json"
    launch --
    exits 0
    has_no calls '[--mount]'
}

test_says_which_configuration_is_missing() {
    launch -- --config nowhere.json
    exits 1
    has err nowhere.json
    called 0 'docker [run]'
}

test_config_needs_a_file() {
    launch -- --config
    exits 1
    has err '--config needs a file'
}

test_a_private_configuration_is_mounted_as_a_copy() {
    chmod 0600 "$place/config.json"
    launch --
    exits 0
    has "$config" from-the-file
    is_a_copy "$config"
    [ -e "$place/config.json" ] || fail "the configuration is gone"
    has err 'a change of it needs a restart'
    launch -- --check
    has_no err restart
}

# is_a_copy NOTE: what was mounted could be read by everybody in the container and by nobody else here, and is gone
is_a_copy() {
    has "$1.mode" '-r--r--r--'
    has "$1.mode-of-directory" 'drwx------'
    [ ! -e "$(cat "$state/$1.source")" ] || fail "the copy is still there"
}

test_mounts_the_files_that_the_configuration_names_where_they_are() {
    there logo.png
    there "$elsewhere/../other/certificate.pem"
    launch --
    exits 0
    has "mounts/$elsewhere/logo.png" 'this is logo.png'
    has "mounts/$elsewhere/logo.png.source" "$elsewhere/logo.png"
    has "mounts/$elsewhere/../other/certificate.pem" 'certificate.pem'
    has "$config" from-the-file
    called 2 "\"target=$elsewhere/logo.png\",readonly]" # when it is asked for the ports, and when it serves
}

test_asks_which_files_the_configuration_names() {
    launch RTSP_LOGO=logo.png --
    called 1 '"target=/app/config.json",readonly] [rtsp-clock-server:latest] [--print-files]'
    called 3 '[-e] [RTSP_LOGO]'
}

test_checks_with_the_files_that_the_configuration_names() {
    there logo.png
    launch -- --check
    exits 0
    has "mounts/$elsewhere/logo.png" 'this is logo.png'
}

test_works_in_a_directory_of_the_same_name() {
    launch --
    called 3 "[--workdir] [$(readlink -f "$elsewhere")] "
}

test_mounts_files_whose_names_need_care() {
    there 'my "own", red  logo.png '
    there '-back\nslash/key.pem' 0600
    launch --
    exits 0
    has "mounts/$elsewhere/my \"own\", red  logo.png " 'this is my'
    has "mounts/$elsewhere/-back\nslash/key.pem" 'this is -back'
}

test_a_private_file_is_mounted_as_a_copy() {
    there tls/key.pem 0600
    there more/key.pem 0640
    launch --
    exits 0
    for key in tls/key.pem more/key.pem; do
        has "mounts/$elsewhere/$key" "this is $key"
        is_a_copy "mounts/$elsewhere/$key"
        [ -e "$elsewhere/$key" ] || fail "$key is gone"
    done
}

test_a_link_is_what_it_leads_to() {
    there key-1.pem 0600
    ln -s key-1.pem "$elsewhere/key.pem"
    names key.pem
    mkdir -p "$elsewhere/deep/down"
    echo deep >"$elsewhere/deep/logo.png"
    ln -s deep/down "$elsewhere/link"
    names link/../logo.png
    launch --
    exits 0
    has "mounts/$elsewhere/key.pem" 'this is key-1.pem'
    is_a_copy "mounts/$elsewhere/key.pem"
    has calls "\"source=$elsewhere/deep/logo.png\",\"target=$elsewhere/link/../logo.png\""
}

test_mounts_nothing_for_a_file_that_is_not_there() {
    names nowhere.png
    mkdir "$elsewhere/folder"
    names folder
    launch --
    exits 0
    called 3 '[--mount]'
    called 3 '"target=/app/config.json",readonly]'
}

test_files_need_no_configuration() {
    rm "$place/config.json"
    there logo.png
    launch RTSP_LOGO=logo.png --
    exits 0
    has "mounts/$elsewhere/logo.png" 'this is logo.png'
}

test_an_engine_that_runs_nothing_ends_it() {
    echo 125 >"$state/status-of-files"
    launch --
    exits 125
    called 1 'docker [run]'
}

test_passes_arguments_on() {
    launch -- 'two words' --stream ''
    called 1 '[rtsp-clock-server:latest] [two words] [--stream] []'
}

test_needs_no_ports_to_check() {
    launch -- --check
    exits 0
    called 2 'docker [run]'
    called 1 '[rtsp-clock-server:latest] [--check]'
    has_no calls '[-p]'
}

test_help_is_its_own_and_the_servers() {
    launch -- --help
    exits 0
    has out 'Usage: ./launch.sh'
    called 1 '[rtsp-clock-server:latest] [--help]'
}

test_passes_variables_on_without_showing_them() {
    launch RTSP_VIEWER_PASSWORD=open-sesame RTSP_FPS=50 RUST_LOG=debug --
    called 3 '[-e] [RTSP_VIEWER_PASSWORD]'
    called 3 '[-e] [RTSP_FPS]'
    called 3 '[-e] [RUST_LOG]'
    has env RTSP_VIEWER_PASSWORD=open-sesame
    has_no calls open-sesame
}

test_tells_the_server_the_addresses_of_the_host() {
    launch --
    called 3 '[-e] [RTSP_PUBLIC_ADDRESSES]'
    grep -qx 'RTSP_PUBLIC_ADDRESSES=localhost 192.0.2.7' "$state/env" || fail "$(grep PUBLIC "$state/env")"
}

test_tells_the_server_the_time_zone() {
    launch TZ=Asia/Tokyo --
    called 3 '[-e] [TZ]'
    has env TZ=Asia/Tokyo
}

test_finds_the_time_zone() {
    stand_in readlink 'echo /usr/share/zoneinfo/America/Argentina/Ushuaia'
    (unset TZ && launch --)
    has env TZ=America/Argentina/Ushuaia
}

test_a_wrong_configuration_ends_it() {
    touch "$state/refuse"
    launch --
    exits 1
    has err 'serverPort: no'
    called 2 'docker [run]'
}

test_ends_with_the_status_of_the_container() {
    echo 42 >"$state/status"
    launch --
    exits 42
}

# A shell cannot trap what was ignored when it began, as SIGHUP is by nohup.
default_signals=--default-signal
env "$default_signals" true 2>/dev/null || default_signals=

# stops_with SIGNAL
stops_with() {
    chmod 0600 "$place/config.json"
    there key.pem 0600
    touch "$state/serve"
    env $default_signals STATE="$state" HOME="$state" TMPDIR="$state/../tmp" PATH="$bin" "$place/launch.sh" >"$state/out" 2>"$state/err" &
    launcher=$!
    until_there "$state/serving"
    kill -s "$1" "$launcher"
    status=0
    wait "$launcher" || status=$?
    exits 0
    has stopped stopped
    is_a_copy "$config"
    is_a_copy "mounts/$elsewhere/key.pem"
}

test_a_termination_stops_the_container() {
    stops_with TERM
}

test_a_hang_up_stops_the_container() {
    stops_with HUP
}

test_docker_needs_an_engine() {
    touch "$state/no-engine"
    launch -- --docker
    exits 1
    has err 'no Docker Engine answers'
    called 0 'docker [run]'
}

# --- Without one -----------------------------------------------------------------------------------------------------

test_without_an_engine_it_builds_and_runs_here() {
    native_machine 1.99.0
    launch -- 'two words'
    exits 0
    has err 'no Docker Engine answers'
    called 1 'cargo [build] [--release] [--locked]'
    called 1 'rtsp-clock-server [two words]'
    has env "CONFIG_PATH=$place/config.json"
    has_no env GST_PLUGIN_PATH
    called 0 'docker [run]'
}

test_native_leaves_an_engine_alone() {
    native_machine 1.99.0
    rm "$state/no-engine"
    launch -- --native --check
    exits 0
    called 1 'rtsp-clock-server [--check]'
    called 0 'docker'
}

test_native_ends_with_the_status_of_the_server() {
    native_machine 1.99.0
    echo 42 >"$state/status"
    launch --
    exits 42
}

test_the_probe_runs_in_the_image_with_the_directory_at_hand() {
    launch RTSP_PROBE_PASSWORD=open-sesame -- probe 'a recording.mp4' --report report.html
    exits 0
    called 1 'docker [build]'
    called 1 '[rtsp-clock-server:latest] [a recording.mp4] [--report] [report.html]'
    called 1 '[--entrypoint] [rtsp-clock-probe]'
    called 1 '[--network] [host]'
    called 1 "[--workdir] [$(readlink -f "$state/../elsewhere")]"
    called 1 '[-e] [RTSP_PROBE_PASSWORD]'
    has_no calls open-sesame
}

test_the_probe_is_built_and_run_here() {
    native_machine 1.99.0
    echo 1 >"$state/status"
    stand_in dpkg-query 'case $4 in *libav) exit 1 ;; *) echo installed ;; esac'
    launch -- --native probe rtsp://camera/live --config x
    exits 1
    called 1 'rtsp-clock-probe [rtsp://camera/live] [--config] [x]'
    called 1 '[install] [-y] [--no-install-recommends] [gstreamer1.0-libav]'
    has_no env CONFIG_PATH
}

test_the_probe_takes_no_option_of_the_server() {
    launch -- --check probe rtsp://camera/live
    exits 1
    has err "probe comes first"
    called 0 'docker [run]'
}

test_a_rust_that_is_too_old_is_reported() {
    native_machine 1.85.0
    launch --
    exits 1
    has err 'Rust 1.85.0 is too old'
    has err 'https://sh.rustup.rs'
    called 0 apt-get
    called 0 cargo
}

test_an_old_rust_of_rustup_is_updated_by_it() {
    native_machine 1.85.0
    stand_in rustup ''
    launch --
    exits 1
    has err 'rustup update stable'
    called 0 rustup
}

test_a_missing_rust_is_reported() {
    native_machine 1.99.0
    rm "$bin/rustc" "$bin/cargo"
    launch --
    exits 1
    has err 'Rust is missing'
    has err 'https://sh.rustup.rs'
    called 0 apt-get
}

test_finds_a_rust_that_is_not_in_the_path_yet() {
    native_machine 1.99.0
    mkdir -p "$state/.cargo/bin"
    mv "$bin/rustc" "$bin/cargo" "$state/.cargo/bin"
    launch --
    exits 0
    called 1 'cargo [build]'
}

test_installs_nothing_where_nothing_is_missing() {
    native_machine 1.99.0
    launch --
    exits 0
    called 0 apt-get
    has_no err Installing
}

test_shows_what_is_missing_and_installs_just_that() {
    native_machine 1.99.0
    stand_in dpkg-query 'case $4 in libpango*) exit 1 ;; *ugly) echo config-files ;; *) echo installed ;; esac'
    launch --
    exits 0
    has err 'Installing with apt-get: libpango1.0-dev gstreamer1.0-plugins-ugly'
    called 1 '[install] [-y] [--no-install-recommends] [libpango1.0-dev] [gstreamer1.0-plugins-ugly]'
}

test_installs_with_sudo_where_not_root() {
    native_machine 1.99.0
    echo 1000 >"$state/uid"
    stand_in dpkg-query 'exit 1'
    stand_in sudo '"$@"'
    launch --
    exits 0
    called 1 'sudo [apt-get] [update]'
    called 1 'sudo [env] [DEBIAN_FRONTEND=noninteractive] [apt-get] [install]'
}

test_says_what_to_run_where_neither_root_nor_sudo() {
    native_machine 1.99.0
    echo 1000 >"$state/uid"
    stand_in dpkg-query 'exit 1'
    launch --
    exits 1
    has err 'Run as root: apt-get update'
    called 0 'cargo [build]'
}

test_a_failed_installation_ends_it() {
    native_machine 1.99.0
    stand_in dpkg-query 'exit 1'
    stand_in apt-get '[ "$1" = update ] || exit 100'
    launch --
    [ "$status" -ne 0 ] || fail "exit status 0"
    called 0 'cargo [build]'
}

# manages MANAGER QUERY INSTALLATION PACKAGE
manages() {
    native_machine 1.99.0
    rm "$bin/apt-get"
    stand_in "$1" 'case $1 in -q | list | -T) exit 1 ;; esac'
    [ "$2" = "$1" ] || stand_in "$2" 'exit 1'
    launch --
    exits 0
    has err "Installing with $1:"
    grep -F "$3" "$state/calls" | grep -qF "[$4]" || fail "no $4 installed by '$3'"
}

test_installs_with_dnf() {
    manages dnf rpm 'dnf [install] [-y]' gstreamer1-rtsp-server-devel
}

test_installs_with_pacman() {
    manages pacman pacman 'pacman [-S] [--needed] [--noconfirm]' gst-rtsp-server
}

test_installs_with_zypper() {
    manages zypper rpm 'zypper [--non-interactive] [install]' gstreamer-rtsp-server-devel
}

test_installs_with_brew() {
    manages brew brew 'brew [install]' gstreamer
}

test_says_what_it_needs_where_no_package_manager_is_known() {
    native_machine 1.99.0
    rm "$bin/apt-get"
    launch --
    exits 1
    has err 'No package manager known here'
    has err 'GStreamer 1.22'
}

test_setup_for_tests_brings_their_tools() {
    native_machine 1.99.0
    stand_in dpkg-query 'exit 1'
    run_launcher "$place/scripts/setup.sh" -- test
    exits 0
    for tool in ffmpeg mpv tesseract-ocr faketime shellcheck; do
        has err "$tool"
    done
}

# A machine where all is there but the tests' clients for Python. Its Python makes environments whose own Python notes
# what it is asked to install.
machine_without_clients() {
    native_machine 1.99.0
    ln -s "$(command -v cmp)" "$bin/cmp"
    echo 'aiortsp==1.4.0' >"$place/scripts/requirements.txt"
    stand_in environment ''
    stand_in python3 'mkdir -p "$3/bin" && cp "$STATE/../bin/environment" "$3/bin/python"'
}

test_setup_for_tests_brings_their_clients_once() {
    machine_without_clients
    run_launcher "$place/scripts/setup.sh" -- test
    exits 0
    called 1 "python3 [-m] [venv] [$place/target/python]"
    called 1 '[install] [--quiet] [--require-hashes]'
    run_launcher "$place/scripts/setup.sh" -- test
    exits 0
    called 1 '[install] [--quiet]'
}

test_setup_for_tests_brings_their_clients_anew_where_the_list_has_changed() {
    machine_without_clients
    run_launcher "$place/scripts/setup.sh" -- test
    echo 'aiortsp==1.5.0' >"$place/scripts/requirements.txt"
    run_launcher "$place/scripts/setup.sh" -- test
    exits 0
    called 2 '[install] [--quiet]'
}

test_setup_for_tests_goes_on_without_their_clients() {
    machine_without_clients
    stand_in environment 'exit 1'
    run_launcher "$place/scripts/setup.sh" -- test
    exits 0
    has err 'cannot be installed'
    [ ! -e "$place/target/python/requirements.txt" ] || fail "they count as installed"
}

# --- All of them -----------------------------------------------------------------------------------------------------

all_tests() {
    sed -n 's/^\(test_[a-z_]*\)() {$/\1/p' "$0"
}

for name in $(all_tests); do
    if (new_place "$name" && "$name"); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
