protected() { # what the file of values says; where it says nothing, what was exported
    case $(protection_in_values) in
    true) return 0 ;;
    false) return 1 ;;
    esac
    [ "$PROTECT" = true ]
}

protection_in_values() {
    if [ -f "$HERE/$VAR_FILE" ]; then
        sed -n 's/^protect[[:blank:]]*=[[:blank:]]*\([a-z]*\).*$/\1/p' "$HERE/$VAR_FILE"
    fi
}

how_to_lift() {
    if [ -n "$(protection_in_values)" ]; then
        say "To lift it: protect = false in $VAR_FILE, ./apply.sh, and ./destroy.sh again."
    else
        say "To lift it: protect = false below [cloud] in aether.toml, \`aether-infra export\` again, ./apply.sh, and"
        say "./destroy.sh again. The state must be where it was: with a local one, terraform.tfstate in this folder."
    fi
}

warn_of_protection() {
    say "Deletion protection is on (protect = true): Terraform and the cloud refuse to destroy what holds data,"
    say "such as the image registry, the Kubernetes cluster and the disks of core nodes."
    how_to_lift
}
