each() { # kind, names apart by white space: a line a name
    # shellcheck disable=SC2086 # one word a name
    for name in $2; do
        printf '  %s %s\n' "$1" "$name"
    done
}

wait_until_gone() { # what controllers in the cluster made is in no state of Terraform's
    if ! command -v "$CLI" >/dev/null; then
        say "$CLI is not on PATH, so nobody can say whether $LEFT are gone that the cluster's controllers made."
        say "What is still there keeps the network from going, or goes on costing."
        ask "Destroy the infrastructure without looking?" || fail "stopped: the infrastructure is still there"
        return 0
    fi
    look_up
    waited=0
    while :; do
        found=$(left_over) || fail "$CLI failed: log in, and run this again; or look yourself, and add --no-wait"
        if [ -z "$found" ]; then
            say "Nothing is left of what the cluster's controllers made ($LEFT)"
            return 0
        fi
        if [ "$waited" -ge "$WAIT_SECONDS" ]; then
            break
        fi
        say "Waiting for these to go, $waited of at most $WAIT_SECONDS seconds:"
        say "$found"
        pause=$((WAIT_SECONDS - waited < 10 ? WAIT_SECONDS - waited : 10))
        sleep "$pause"
        waited=$((waited + pause))
    done
    say "After $waited seconds these are still there:"
    say "$found"
    say "A volume that was made under protect = true stays on purpose: take from it what you need, and delete it."
    fail "stopped: the infrastructure is still there. Run this again, or with --no-wait to go on all the same"
}

check_wait() {
    WAIT_SECONDS=${WAIT_SECONDS:-600}
    case $WAIT_SECONDS in
    *[!0-9]*) fail "WAIT_SECONDS must be a number of seconds, such as 600, not '$WAIT_SECONDS'" ;;
    esac
}

WAIT=yes
