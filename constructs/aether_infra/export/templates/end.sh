empty() { # folder: whether Terraform has nothing there
    if listed=$(terraform_in "$1" state list 2>"$PLANS/errors"); then
        [ -z "$listed" ]
    else
        grep -q 'No state file' "$PLANS/errors"
    fi
}

end() { # what it is, folder, arguments of plan
    what=$1
    module=$2
    shift 2
    initialize "$module"
    if empty "$module"; then
        say "$what: nothing there to destroy"
    else
        change "$what" "$module" "Destroy this?" -destroy "$@"
    fi
}
