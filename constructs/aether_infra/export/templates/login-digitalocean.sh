log_in() { # into Docker's own file of credentials, which Podman reads too
    needs doctl
    doctl registry login --expiry-seconds 3600 >&2
}
