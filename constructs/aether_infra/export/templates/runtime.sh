runtime() { # key: the first text of that name in the output `runtime`
    terraform_in "$INFRASTRUCTURE" output -json runtime 2>/dev/null | sed 's/[,{]/\\
/g' |
        sed -n 's/^[[:blank:]]*"'"$1"'"[[:blank:]]*:[[:blank:]]*"\([^"]*\)".*$/\1/p' | head -n 1
}
