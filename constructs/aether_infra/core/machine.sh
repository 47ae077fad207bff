#!/bin/sh
# Runs one Aether node on a Linux machine: prepare, run, stop. POSIX sh; started by systemd, which starts it again
# whenever it ends. It holds no dollar sign before a brace: that is what Terraform would put its values into.
set -eu

ETC=/etc/aether
RUN=/run/aether
DATA=/var/lib/aether/data
SPARE_MIB=512

# shellcheck source=/dev/null
. "$ETC/settings.sh"

DOCKER_CONFIG=$RUN/docker
REGISTRY_AUTH_FILE=$DOCKER_CONFIG/config.json
export DOCKER_CONFIG REGISTRY_AUTH_FILE

say() {
    echo "aether: $*" >&2
}

install_packages() {
    installed=$(dirname "$DATA")/packages
    if [ -z "$PACKAGES" ] || [ "$(cat "$installed" 2>/dev/null)" = "$PACKAGES" ]; then
        return 0
    fi
    # shellcheck disable=SC2086 # one word a package
    if command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        apt-get -q -o DPkg::Lock::Timeout=600 update
        apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends $PACKAGES
    else
        dnf -q -y install $PACKAGES
    fi
    echo "$PACKAGES" >"$installed"
}

open_port() { # protocol, port: images of some clouds bring a firewall of their own
    if command -v firewall-cmd >/dev/null && firewall-cmd --state >/dev/null 2>&1; then
        firewall-cmd --quiet --add-port="$2/$1"
        firewall-cmd --quiet --permanent --add-port="$2/$1"
    elif command -v iptables >/dev/null; then
        iptables -w -C INPUT -p "$1" --dport "$2" -j ACCEPT 2>/dev/null ||
            iptables -w -I INPUT -p "$1" --dport "$2" -j ACCEPT
    fi
}

wait_for_device() {
    waited=0
    while [ ! -b "$DEVICE" ]; do
        if [ "$waited" -ge 600 ]; then
            say "there is no disk $DEVICE"
            return 1
        fi
        sleep 2
        waited=$((waited + 2))
    done
}

format_new_device() { # blkid: 0 something is there, 2 nothing found or not readable, else in doubt
    found=0
    blkid -p "$DEVICE" >/dev/null 2>&1 || found=$?
    case $found in
    0) return 0 ;;
    2) ;;
    *)
        say "what is on $DEVICE cannot be told: it is not formatted"
        return 1
        ;;
    esac
    dd if="$DEVICE" of=/dev/null bs=4096 count=1 2>/dev/null
    say "$DEVICE is new: formatting it"
    mkfs.ext4 -q "$DEVICE"
}

mount_data() {
    if [ -n "$DEVICE" ] && ! mountpoint -q "$DATA"; then
        wait_for_device
        format_new_device
        mount -o noatime,nodev,nosuid "$DEVICE" "$DATA"
    fi
    if [ -n "$DEVICE" ]; then
        resize2fs "$DEVICE" >/dev/null 2>&1 || say "$DATA was not grown to its disk"
    fi
    chown 1000:1000 "$DATA"
}

prepare() {
    mkdir -p "$DATA"
    mount_data
    install_packages
    if [ "$ENGINE" = docker ]; then
        systemctl start docker.service
    fi
    for port in $TCP_PORTS; do
        open_port tcp "$port"
    done
    for port in $UDP_PORTS; do
        open_port udp "$port"
    done
}

heap_mib() { # three quarters of the memory that the system leaves, and 256 MiB beside the heap
    total=$(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo)
    left=$((total / 1024 - SPARE_MIB))
    heap=$((left * 3 / 4))
    if [ "$heap" -gt $((left - 256)) ]; then
        heap=$((left - 256))
    fi
    echo "$heap"
}

write_environment() {
    sed "s/@HEAP_MIB@/$(heap_mib)/" "$ETC/environment" >"$RUN/environment"
    /bin/sh -eu "$ETC/host.sh" >"$RUN/host"
    /bin/sh -eu "$ETC/secrets.sh" >"$RUN/secrets"
}

pull() {
    /bin/sh -eu "$ETC/login.sh" >/dev/null || say "no login to the registry"
    if ! "$ENGINE" pull --quiet "$IMAGE" >/dev/null; then
        "$ENGINE" image inspect "$IMAGE" >/dev/null
        say "$IMAGE cannot be pulled: the copy that is here must do"
    fi
}

probe() {
    curl --silent --fail --max-time "$TIMEOUT_SECONDS" --output /dev/null \
        "http://127.0.0.1:$MANAGEMENT_PORT$LIVENESS_PATH"
}

watch() { # stops the container when its liveness fails; systemd then starts it again
    bad=0
    started=no
    deadline=$(($(date +%s) + START_SECONDS))
    while sleep "$INTERVAL_SECONDS"; do
        if probe; then
            bad=0
            started=yes
        elif [ "$started" = yes ] || [ "$(date +%s)" -ge "$deadline" ]; then
            bad=$((bad + 1))
        fi
        if [ "$bad" -ge "$UNHEALTHY_THRESHOLD" ]; then
            say "the node does not answer: restarting it"
            stop
            return 0
        fi
    done
}

run() {
    umask 077
    mkdir -p "$DOCKER_CONFIG"
    write_environment
    pull
    "$ENGINE" rm --force aether >/dev/null 2>&1 || true
    set -- --detach --name aether --network host --user 1000:1000 --read-only --tmpfs /tmp \
        --cap-drop ALL --security-opt no-new-privileges --ulimit nofile=65536:65536 \
        --stop-timeout "$STOP_TIMEOUT_SECONDS" --log-driver "$LOG_DRIVER" --volume "$DATA:/data$VOLUME_OPTIONS" \
        --env-file "$RUN/environment" --env-file "$RUN/host" --env-file "$RUN/secrets"
    # shellcheck disable=SC2086 # one word an argument
    "$ENGINE" run "$@" $ARGUMENTS "$IMAGE" >/dev/null
    watch &
    watcher=$!
    code=$("$ENGINE" wait aether) || code=1
    kill "$watcher" 2>/dev/null || true
    say "the node ended with $code"
    [ "$code" = 0 ]
}

stop() {
    "$ENGINE" stop aether >/dev/null
}

"$1"
