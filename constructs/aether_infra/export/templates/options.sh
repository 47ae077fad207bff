YES=no
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help)
        usage
        exit 0
        ;;
    -y | --yes) YES=yes ;;
    --)
        shift
        break
        ;;
    *)
        say "unknown argument: $1"
        usage >&2
        exit 2
        ;;
    esac
    shift
done

find_terraform
