runtime() { # key: the first text of that name in the output `runtime`
    # shellcheck disable=SC2020 # both become the end of a line
    terraform_in "$INFRASTRUCTURE" output -json runtime 2>/dev/null | tr ',{' '\n\n' |
        sed -n 's/^[[:blank:]]*"'"$1"'"[[:blank:]]*:[[:blank:]]*"\([^"]*\)".*$/\1/p' | head -n 1
}
