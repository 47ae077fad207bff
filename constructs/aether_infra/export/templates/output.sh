output() { # name, what if there is none
    terraform_in "$INFRASTRUCTURE" output -raw "$1" 2>/dev/null || printf '%s' "$2"
}
