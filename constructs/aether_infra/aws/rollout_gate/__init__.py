"""The rollout gate, a Lambda function shipped as it stands; nothing of the package imports it."""
