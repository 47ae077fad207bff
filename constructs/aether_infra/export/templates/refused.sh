stop_if_refused() { # arguments of plan; before the workload is gone, not after
    initialize "$INFRASTRUCTURE"
    if empty "$INFRASTRUCTURE"; then
        return 0
    fi
    say "Asking Terraform whether it would destroy the infrastructure"
    code=0
    plan_in "$INFRASTRUCTURE" -destroy "$@" >"$PLANS/refusal" 2>&1 || code=$?
    if [ "$code" -eq 1 ]; then
        cat "$PLANS/refusal" >&2
        fail "Terraform refuses, so nothing was destroyed"
    fi
}
