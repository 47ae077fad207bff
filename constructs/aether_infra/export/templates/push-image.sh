needs() { # program
    command -v "$1" >/dev/null || fail "$1 is not on PATH; logging in to the registry needs it"
}

with_password() { # user, password: by standard input, where no list of processes shows it
    [ -n "$2" ] || fail "no password for the registry: is the cloud's command line logged in?"
    printf '%s' "$2" | "$CONTAINER" login --username "$1" --password-stdin "$HOST" >&2
}

find_container() {
    if [ -n "${CONTAINER:-}" ]; then
        command -v "$CONTAINER" >/dev/null || fail "CONTAINER is '$CONTAINER', and there is no such program"
    elif command -v docker >/dev/null; then
        CONTAINER=docker
    elif command -v podman >/dev/null; then
        CONTAINER=podman
    else
        fail "neither docker nor podman is on PATH: install one, or name it in the variable CONTAINER"
    fi
}

registry_address() { # empty while there is none
    address=$(terraform_in "$INFRASTRUCTURE" output -raw registry_url 2>/dev/null) || address=
    case $address in
    *[[:space:]]*) ;;
    */*) printf '%s' "$address" ;;
    esac
}

find_registry() {
    initialize "$INFRASTRUCTURE" >&2
    REGISTRY=$(registry_address)
    if [ -z "$REGISTRY" ]; then
        make_registry >&2
        REGISTRY=$(registry_address)
        [ -n "$REGISTRY" ] || fail "there is no registry yet (output registry_url): run ./apply.sh first"
    fi
    HOST=${REGISTRY%%/*}
}

default_tag() { # of a commit with nothing changed since, its description; else the time
    tag=
    if [ -n "$BUILD" ] && [ -z "$(git -C "$BUILD" status --porcelain 2>&1)" ]; then
        tag=$(git -C "$BUILD" describe --tags --always 2>/dev/null | tr -c 'A-Za-z0-9_.\n-' '-')
    fi
    printf '%s' "${tag:-$(date -u +%Y%m%d-%H%M%S)}"
}

prepare() { # the image, under the name that it is pushed by
    if [ -n "$BUILD" ]; then
        "$CONTAINER" build ${PLATFORM:+--platform "$PLATFORM"} --tag "$IMAGE" "$BUILD" >&2
    else
        if ! "$CONTAINER" pull ${PLATFORM:+--platform "$PLATFORM"} "$FROM" >&2; then
            "$CONTAINER" image inspect "$FROM" >/dev/null 2>&1 ||
                fail "$FROM can neither be pulled nor is it on this machine"
            say "$FROM cannot be pulled: the copy on this machine is taken"
        fi
        "$CONTAINER" tag "$FROM" "$IMAGE"
    fi
}

push() { # prints what the registry knows the image by
    case $("$CONTAINER" --version) in
    podman*)
        "$CONTAINER" push --digestfile "$PLANS/digest" "$IMAGE" >&2
        digest=$REGISTRY@$(cat "$PLANS/digest")
        ;;
    *)
        "$CONTAINER" push "$IMAGE" >&2
        digest=$("$CONTAINER" image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$IMAGE" |
            grep -F "$REGISTRY@sha256:" | head -n 1)
        ;;
    esac
    case $digest in
    *@sha256:*) ;;
    *) fail "$IMAGE is pushed, but nobody says its digest: look it up in the registry" ;;
    esac
    printf '%s\n' "$digest"
    say "Name it so in \`image\`: a digest is one image for ever."
}

wrong() {
    say "$*"
    usage >&2
    exit 2
}

YES=no
BUILD=
FROM=
TAG=
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help)
        usage
        exit 0
        ;;
    -y | --yes) YES=yes ;;
    --build | --from | --tag | --platform)
        [ $# -ge 2 ] && [ -n "$2" ] || wrong "$1 wants a value"
        case $1 in
        --build) BUILD=$2 ;;
        --from) FROM=$2 ;;
        --tag) TAG=$2 ;;
        --platform) PLATFORM=$2 ;;
        esac
        shift
        ;;
    *) wrong "unknown argument: $1" ;;
    esac
    shift
done
if [ -n "$BUILD" ] && [ -n "$FROM" ]; then
    wrong "either --build or --from, not both"
elif [ -z "$BUILD$FROM" ]; then
    wrong "say what to push: --build FOLDER or --from IMAGE"
elif [ -n "$BUILD" ] && [ ! -d "$BUILD" ]; then
    wrong "--build: there is no folder $BUILD"
fi
case $TAG in
[.-]* | *[!A-Za-z0-9_.-]*) wrong "--tag: letters, digits, '_', '.' and '-', and neither of the last two first" ;;
esac

find_terraform
find_container
find_registry
IMAGE=$REGISTRY:${TAG:-$(default_tag)}
ask "Push ${BUILD:-$FROM} to $IMAGE?" || fail "not wanted: nothing was pushed"
log_in
prepare
push
