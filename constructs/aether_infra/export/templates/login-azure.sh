log_in() { # three hours; whoever comes with a token has this name
    needs az
    token=$(az acr login --name "${HOST%%.*}" --expose-token --output tsv --query accessToken)
    with_password 00000000-0000-0000-0000-000000000000 "$token"
}
