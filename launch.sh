#!/bin/sh
# Starts the camera: in a container where a Docker Engine answers, else built and run on this machine.
set -eu

IMAGE=rtsp-clock-server:latest
LABEL=rtsp-clock-server.sources # the image's label with the checksum of the sources that it was built from
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

# shellcheck source=scripts/setup.sh
. "$here/scripts/setup.sh"

usage() {
    cat <<'END'
Usage: ./launch.sh [--docker | --native] [--build] [--config FILE] [SERVER OPTION...]
       ./launch.sh [--docker | --native] [--build] probe [PROBE OPTION...] URL...

  --docker       run in a container, or fail
  --native       build and run on this machine, whether there is a Docker Engine or not
  --build        build the image even if it is up to date
  --config FILE  the configuration; without it $CONFIG_PATH, else the config.json beside launch.sh

`probe` runs rtsp-clock-probe in place of the server: it plays a stream or a recording and measures it. In a container
it sees the files of the directory that it is started in.

RTSP_* variables reach the server and override the file. In a container it sees the files that either names. All else
is passed on to the server:

END
}

main() {
    floor='' rebuild='' config=${CONFIG_PATH-} left=$#
    while [ "$left" -gt 0 ]; do
        argument=$1
        shift
        left=$((left - 1))
        case $argument in
            --docker | --native) floor=${argument#--} ;;
            probe)
                [ "$left" -eq "$#" ] || die "launch: probe comes first, and its options behind it"
                [ -n "$floor" ] || floor=$(choose_floor)
                "probe_$floor" "$@"
                return
                ;;
            --build) rebuild=yes ;;
            --config=*) config=${argument#*=} ;;
            --config)
                [ "$left" -gt 0 ] || die "launch: --config needs a file"
                config=$1
                shift
                left=$((left - 1))
                ;;
            -h | --help)
                usage
                set -- "$@" --help
                ;;
            *) set -- "$@" "$argument" ;;
        esac
    done
    choose_config
    [ -n "$floor" ] || floor=$(choose_floor)
    "launch_$floor" "$@"
}

choose_config() {
    if [ -z "$config" ] && [ -e "$here/config.json" ]; then
        config=$here/config.json
    fi
    case $config in
        '' | /*) ;;
        *) config=$PWD/$config ;;
    esac
    if [ -n "$config" ] && ! { [ -f "$config" ] && [ -r "$config" ]; }; then
        die "launch: cannot read the configuration $config"
    fi
}

choose_floor() {
    if docker info >/dev/null 2>&1; then
        echo docker
    else
        say "launch: no Docker Engine answers, so everything is built and run on this machine"
        echo native
    fi
}

launch_native() {
    set_up "$here" run
    (cd "$here" && cargo build --release --locked)
    [ -z "$config" ] || export CONFIG_PATH="$config"
    exec "$(target_directory)/release/rtsp-clock-server" "$@"
}

probe_native() {
    set_up "$here" probe
    (cd "$here" && cargo build --release --locked)
    exec "$(target_directory)/release/rtsp-clock-probe" "$@"
}

target_directory() {
    case ${CARGO_TARGET_DIR-} in
        '') echo "$here/target" ;;
        /*) echo "$CARGO_TARGET_DIR" ;;
        *) echo "$here/$CARGO_TARGET_DIR" ;;
    esac
}

launch_docker() {
    have_image
    announce_host
    stage='' mounts=''
    mount_config
    config_is_copied=$stage
    mount_files
    if answers_and_exits "$@"; then
        in_container "" "$@"
    else
        [ -z "$config_is_copied" ] ||
            say "launch: the container has a copy of $config, which it may not read itself: a change of it needs a restart"
        # What the server has to say, it says when it runs.
        ports=$(export RUST_LOG=error && in_container "" --print-docker-flags "$@")
        make_token
        in_container "$ports" "$@"
    fi
}

# Who asks by HTTP comes through the container's gateway, and changes things by a token: where nobody has given one, there is
# one for this run.
make_token() {
    case " $ports " in
        *' --env=RTSP_DEFAULT_HTTP_TOKEN '*) ;;
        *) return 0 ;;
    esac
    RTSP_DEFAULT_HTTP_TOKEN=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    export RTSP_DEFAULT_HTTP_TOKEN
    http_port=$(printf '%s' "$ports" | sed 's/.*-p 127\.0\.0\.1:\([0-9]*\):.*/\1/')
    say "launch: seen and steered by HTTP: http://127.0.0.1:$http_port/#token=$RTSP_DEFAULT_HTTP_TOKEN"
}

# The probe opens ports for RTP and reads and writes files as whoever starts it.
probe_docker() {
    have_image
    terminal=''
    [ ! -t 1 ] || terminal=--tty
    here_too=$(csv_field "source=$PWD"),$(csv_field "target=$PWD")
    # shellcheck disable=SC2046,SC2086 # the variables' names are one word each, and so is the option
    exec docker run --rm --init --network host --cap-drop ALL --security-opt no-new-privileges $terminal $(variables) \
        --user "$(id -u):$(id -g)" --mount "type=bind,$here_too" --workdir "$PWD" --entrypoint rtsp-clock-probe \
        "$IMAGE" "$@"
}

have_image() {
    docker info >/dev/null || die "launch: no Docker Engine answers; start it, or use --native"
    if [ -n "$rebuild" ] || ! image_is_current; then
        build_image
    fi
}

image_is_current() {
    [ "$(docker image inspect --format "{{ index .Config.Labels \"$LABEL\" }}" "$IMAGE" 2>/dev/null)" = "$(sources_id)" ]
}

# What the image is made from is what .dockerignore lets through.
sources_id() {
    cd "$here"
    {
        echo Dockerfile
        sed -n 's/^!//p' .dockerignore
    } | while IFS= read -r source; do
        find "$source" -type f ! -path '*/tests/*' ! -path '*/node_modules/*' -exec cksum {} +
    done | LC_ALL=C sort | cksum | tr ' ' -
}

build_image() {
    say "launch: building the image $IMAGE; the first time takes some minutes"
    docker build --label "$LABEL=$(sources_id)" --tag "$IMAGE" "$here"
}

# What the server cannot see from inside a container: the addresses of this machine, and its time zone.
announce_host() {
    RTSP_PUBLIC_ADDRESSES=${RTSP_PUBLIC_ADDRESSES-$(host_addresses)}
    TZ=${TZ-$(host_time_zone)}
    export RTSP_PUBLIC_ADDRESSES TZ
}

# IPv4 only: what comes in over IPv6 reaches a container through a proxy, which has no way back for RTP over UDP.
host_addresses() {
    {
        echo localhost
        if command -v ip >/dev/null 2>&1; then
            ip -o -4 addr show up scope global | awk '$2 !~ /^(docker|br-|veth|virbr|cni|podman)/ { print $4 }'
        else
            ifconfig 2>/dev/null | awk '$1 == "inet" && $2 !~ /^127\./ { print $2 }'
        fi | sed 's,/.*,,'
    } | tr '\n' ' ' | sed 's/ $//'
}

host_time_zone() {
    if zone=$(readlink /etc/localtime 2>/dev/null) && [ "$zone" != "${zone#*zoneinfo/}" ]; then
        echo "${zone#*zoneinfo/}"
    else
        cat /etc/timezone 2>/dev/null || echo UTC
    fi
}

mount_config() {
    [ -z "$config" ] || mount_at /app/config.json "$config"
}

# The files that the configuration names stand in the container where they stand here. Of one that is not there, the
# server has the better word.
mount_files() {
    files=$(in_container "" --print-files)
    while IFS= read -r file; do
        [ ! -f "$file" ] || mount_at "$file" "$(physical "$file")"
    done <<END
$files
END
}

# The file's path without links to directories: Docker takes x/.. away from a path, whatever x is.
physical() {
    printf '%s/%s' "$(CDPATH='' cd -P -- "$(dirname -- "$1")" && pwd -P)" "${1##*/}"
}

# mount_at PATH FILE: puts FILE, or a copy of it, on the list of what is mounted, one a line.
mount_at() {
    source=$2
    # What whoever starts this may not read either is for the server to complain about.
    if [ -r "$2" ] && { ! everybody_reads "$2" || selinux_guards; }; then
        copy "$2"
    fi
    mounts="${mounts}type=bind,$(csv_field "source=$source"),$(csv_field "target=$1"),readonly
"
}

# The server in the container is neither root nor the owner of the file. Where the file is not everybody's to read, it
# gets a copy that is, in a directory that only its owner can enter.
copy() {
    if [ -z "$stage" ]; then
        stage=$(mktemp -d)
        copies=0
        trap 'rm -rf "$stage"' EXIT
        trap 'exit 130' HUP INT TERM # or the first trap would not be heard
    fi
    copies=$((copies + 1))
    source=$stage/$copies
    cp "$1" "$source"
    chmod 0444 "$source"
    ! selinux_guards || chcon -t container_file_t "$source"
}

everybody_reads() {
    case $(ls -lL "$1") in
        ???????r*) ;;
        *) return 1 ;;
    esac
}

# Where SELinux is at work, a container reads only files that bear its label: the copy does.
selinux_guards() {
    command -v selinuxenabled >/dev/null 2>&1 && selinuxenabled
}

# Options with which the server answers and ends: it opens no ports, and may be asked while another one runs.
answers_and_exits() {
    for argument; do
        case $argument in
            --check | --healthcheck | -h | --help | -V | --version | --print-*) return 0 ;;
        esac
    done
    return 1
}

# in_container FLAGS ARGUMENT...: FLAGS are options of `docker run` without spaces. The server works in a directory of
# the same name as this one, for relative paths. In the background, since a shell that waits for a command in the
# foreground would hear of SIGTERM only after it.
in_container() {
    flags=$1
    shift
    set -- "$IMAGE" "$@"
    while IFS= read -r mount; do
        [ -z "$mount" ] || set -- --mount "$mount" "$@"
    done <<END
$mounts
END
    signalled='' container=''
    trap 'signalled=yes; pass_on' HUP INT TERM
    # shellcheck disable=SC2046,SC2086 # the flags and the variables' names are one word each
    docker run --rm --cap-drop ALL --security-opt no-new-privileges $flags $(variables) --workdir "$PWD" "$@" &
    container=$!
    [ -z "$signalled" ] || pass_on # it came before there was anybody to pass it on to
    until_ended "$container"
}

pass_on() {
    [ -z "$container" ] || kill -TERM "$container" 2>/dev/null || true
}

# The variables go by name: no password gets into a list of processes.
variables() {
    for name in $(env | sed -n 's/^\(RTSP_[A-Za-z0-9_]*\)=.*/\1/p') TZ RUST_LOG GST_DEBUG; do
        printf ' -e %s' "$name"
    done
}

# --mount takes comma-separated values: a path may hold commas and quotes.
csv_field() {
    printf '"%s"' "$(printf '%s' "$1" | sed 's/"/""/g')"
}

# A signal ends `wait` before the process has ended: then the status is the signal's, and the process's comes later.
until_ended() {
    signalled=yes
    while [ -n "$signalled" ]; do
        signalled='' status=0
        wait "$1" || status=$?
    done
    return "$status"
}

main "$@"
