if [ "$WAIT" = yes ]; then
    check_wait
fi
if protected; then
    warn_of_protection
    stop_if_refused "$@"
fi
end workload "$WORKLOAD" "$@"
initialize "$INFRASTRUCTURE"
if [ "$WAIT" = yes ] && ! empty "$INFRASTRUCTURE"; then
    wait_until_gone
fi
end infrastructure "$INFRASTRUCTURE" "$@"
