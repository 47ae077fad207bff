log_in() { # an hour
    needs gcloud
    token=$(gcloud auth print-access-token)
    with_password oauth2accesstoken "$token"
}
