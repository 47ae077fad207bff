log_in() { # a password of ECR is good for twelve hours
    needs aws
    region=${HOST#*.ecr.}
    token=$(aws ecr get-login-password --region "${region%%.*}")
    with_password AWS "$token"
}
