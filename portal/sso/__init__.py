"""Single sign-on: other services' word for who somebody is, by OpenID Connect or a signed hand-over."""
