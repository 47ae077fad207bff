HERE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

say() {
    printf '%s\n' "$*" >&2
}

fail() {
    say "error: $*"
    exit 1
}

ask() { # question; only yes counts
    if [ "$YES" = yes ]; then
        return 0
    fi
    if [ ! -t 0 ]; then
        fail "no terminal to ask on: \"$1\" Run this in a terminal, or with --yes"
    fi
    printf '\n%s [yes/no] ' "$1" >&2
    answer=
    read -r answer || say ""
    [ "$answer" = yes ]
}

find_terraform() {
    if [ -n "${TERRAFORM:-}" ]; then
        command -v "$TERRAFORM" >/dev/null || fail "TERRAFORM is '$TERRAFORM', and there is no such program"
    elif command -v terraform >/dev/null; then
        TERRAFORM=terraform
    elif command -v tofu >/dev/null; then
        TERRAFORM=tofu
    else
        fail "neither terraform nor tofu is on PATH: install one, or name it in the variable TERRAFORM"
    fi
    # no advice what to run next: that is this script's part
    export TF_IN_AUTOMATION=1
    # a plan holds what the state holds, secrets too: nobody else's to read, and gone in the end
    PLANS=$(mktemp -d)
    trap 'rm -rf "$PLANS"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

path_of() { # folder, relative to this one
    case $1 in
    .) printf '%s' "$HERE" ;;
    *) printf '%s' "$HERE/$1" ;;
    esac
}

terraform_in() { # folder, arguments
    folder=$(path_of "$1")
    shift
    "$TERRAFORM" -chdir="$folder" "$@"
}

INITIALIZED=
initialize() { # folder, once
    case $INITIALIZED in
    *"<$1>"*) ;;
    *) terraform_in "$1" init -input=false ;;
    esac
    INITIALIZED="$INITIALIZED<$1>"
}

plan_in() { # folder, arguments: makes $PLAN; 0 nothing to change, 1 failed, 2 something to change
    where=$1
    shift
    for values in "$(path_of "$where")/$VAR_FILE" "$HERE/$VAR_FILE"; do
        if [ -f "$values" ]; then
            set -- -var-file="$values" "$@"
            break
        fi
    done
    PLAN=$PLANS/plan
    rm -f "$PLAN"
    terraform_in "$where" plan -input=false -detailed-exitcode -out="$PLAN" "$@"
}

change() { # what it is, folder, question, arguments of plan
    what=$1
    module=$2
    question=$3
    shift 3
    say "== $what"
    initialize "$module"
    code=0
    plan_in "$module" "$@" || code=$?
    case $code in
    0)
        say "$what: nothing to change"
        return 0
        ;;
    2) ;;
    *) fail "$what: no plan, so nothing was changed in it" ;;
    esac
    ask "$question" || fail "$what: not wanted, so nothing was changed in it"
    terraform_in "$module" apply -input=false "$PLAN" ||
        fail "$what: Terraform stopped on the way; mend what it names, and run this again"
}
