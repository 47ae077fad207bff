log_in() { # an auth token of a user, or a token of minutes for whoever the command line is
    if [ -n "${OCIR_AUTH_TOKEN:-}" ]; then
        [ -n "${OCIR_USER:-}" ] || fail "OCIR_AUTH_TOKEN is set: say whose it is, OCIR_USER=<namespace>/<user name>"
        with_password "$OCIR_USER" "$OCIR_AUTH_TOKEN"
        return 0
    fi
    needs oci
    token=$(oci raw-request --http-method GET --target-uri "https://$HOST/20180419/docker/token" \
        --query data.token --raw-output)
    with_password BEARER_TOKEN "$token"
}
