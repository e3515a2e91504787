//! Where an admin endpoint is, and the token that it wants.

use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use anyhow::{Context as _, bail};
use hyper::Uri;
use logweir_pipeline::AdminConfig;

use crate::args::EndpointArgs;

/// Where it is by default.
const DEFAULT_URL: &str = "http://127.0.0.1:9598";
/// The variable with the token, where the endpoint is named by its URL.
const TOKEN_VARIABLE: &str = "LOGWEIR_TOKEN";

/// An admin endpoint: a host, a port, and what opens it. `Display` shows the host and the port; nothing shows the token.
pub(crate) struct Endpoint {
    /// A name or an address, without brackets.
    host: String,
    port: u16,
    /// Visible ASCII.
    token: Option<String>,
}

impl Endpoint {
    /// Finds the endpoint that a command line means: the one of its pipeline file, or at its URL, or where it is by
    /// default. The token is that of `--token-file`; else of the pipeline file; else of `LOGWEIR_TOKEN`.
    ///
    /// # Errors
    ///
    /// If the file cannot be used or has no endpoint, or the URL or the token is none.
    pub(crate) fn find(args: &EndpointArgs) -> anyhow::Result<Self> {
        let mut endpoint = match (&args.file, &args.url) {
            (Some(file), None) => Self::of_file(file)?,
            (_, url) => Self::of_url(url.as_deref().unwrap_or(DEFAULT_URL))?,
        };
        if let Some(path) = &args.token_file {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("the token cannot be read from {}", path.display()))?;
            endpoint.token = Some(checked_token(text.trim_end(), &path.display().to_string())?);
        }
        if endpoint.token.is_none()
            && let Some(token) = std::env::var_os(TOKEN_VARIABLE).filter(|token| !token.is_empty())
        {
            endpoint.token = Some(checked_token(token.to_str().unwrap_or_default(), TOKEN_VARIABLE)?);
        }
        Ok(endpoint)
    }

    /// Returns the name or the address, without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns what opens it, if anything is known to.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    fn of_file(path: &Path) -> anyhow::Result<Self> {
        let admin = logweir_pipeline::load_admin(path).map_err(|problems| {
            anyhow::anyhow!(
                "{problems}\n{} does not tell where its endpoint is; if logweir runs, name the endpoint itself, like \
                 `--url {DEFAULT_URL}`",
                path.display()
            )
        })?;
        let Some(admin) = admin else {
            bail!(
                "{} has no admin endpoint to ask: add `admin: {{ listen: \"127.0.0.1:9598\" }}` to it and start logweir \
                 again, or name the endpoint of whatever runs by `--url`",
                path.display()
            );
        };
        Self::of_config(&admin, path)
    }

    fn of_config(admin: &AdminConfig, path: &Path) -> anyhow::Result<Self> {
        if admin.listen.port() == 0 {
            bail!(
                "{} leaves the port of its admin endpoint to the system, so only the running process knows it: its log \
                 says where the admin endpoint listens; name that by `--url`",
                path.display()
            );
        }
        let address = reachable(admin.listen);
        let token = admin.token.as_ref().map(|token| token.expose().to_owned());
        Ok(Self { host: address.ip().to_string(), port: address.port(), token })
    }

    fn of_url(url: &str) -> anyhow::Result<Self> {
        let wanted = format!("write it like `{DEFAULT_URL}`");
        let uri: Uri = url.parse().ok().with_context(|| format!("--url: `{url}` is no URL: {wanted}"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => bail!(
                "--url: the admin endpoint speaks plain HTTP: {wanted}; over a network that you do not trust, reach it \
                 through a tunnel, like `ssh -L 9598:127.0.0.1:9598 HOST`"
            ),
            _ => bail!("--url: `{url}` does not begin with `http://`: {wanted}"),
        }
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let is_bare = uri.path_and_query().is_none_or(|path| path.as_str() == "/")
            && !uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        match uri.port_u16().filter(|_| !host.is_empty() && is_bare) {
            Some(port) => Ok(Self { host: host.to_owned(), port, token: None }),
            None => bail!("--url: a host and a port are wanted, and no more: {wanted}"),
        }
    }
}

impl Display for Endpoint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.host.parse::<Ipv6Addr>() {
            Ok(host) => write!(f, "[{host}]:{}", self.port),
            Err(_) => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Returns where an address that is listened on is reached from the same machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Returns the token if a header can hold it. The error shows where it is from, and nothing of it.
fn checked_token(token: &str, from: &str) -> anyhow::Result<String> {
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!("{from} holds no token: it must be visible ASCII, without blanks, as `admin.token` is");
    }
    Ok(token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_host_and_a_port() {
        for (url, shown) in [
            ("http://127.0.0.1:9598", "127.0.0.1:9598"),
            ("http://localhost:80/", "localhost:80"),
            ("http://[::1]:9598", "[::1]:9598"),
        ] {
            assert_eq!(
                Endpoint::of_url(url).map(|endpoint| endpoint.to_string()).ok().as_deref(),
                Some(shown)
            );
        }
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        let urls = [
            "",
            "127.0.0.1",
            "127.0.0.1:9598",
            "http://",
            "http://host",
            "http://host:99999",
            "https://host:9598",
            "http://host:9598/metrics",
            "http://host:9598/?a",
            "http://user:secret@host:9598",
            "ftp://host:9598",
        ];
        for url in urls {
            let error = Endpoint::of_url(url).err().unwrap_or_else(|| panic!("{url} is taken")).to_string();
            assert!(error.contains("`http://127.0.0.1:9598`"), "{url}: {error}");
        }
    }

    #[test]
    fn what_listens_everywhere_is_reached_by_loopback() {
        for (listen, reached) in
            [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:2", "[::1]:2"), ("10.1.2.3:3", "10.1.2.3:3")]
        {
            let address = reachable(listen.parse().expect("an address"));
            assert_eq!(address.to_string(), reached);
        }
    }

    #[test]
    fn a_token_that_no_header_can_hold_is_refused_and_not_shown() {
        assert!(checked_token("0123456789abcdef", "x").is_ok());
        for token in ["", "two words", "line\nfeed", "tökén-0123456789"] {
            let error = checked_token(token, "LOGWEIR_TOKEN").expect_err("it is refused").to_string();
            assert!(
                error.starts_with("LOGWEIR_TOKEN") && (token.is_empty() || !error.contains(token)),
                "{error}"
            );
        }
    }
}
