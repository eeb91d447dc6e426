//! A real nginx: the log writer, and the service that probes ask.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Process;

/// An nginx on loopback that answers `/` and `/health` with 200, `/fail` with 500.
#[derive(Debug)]
pub struct Nginx {
    port: u16,
    folder: PathBuf,
    process: Option<Process>,
}

impl Nginx {
    /// Starts nginx with its files below `folder`.
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        let port = super::free_port();
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("nginx.conf"), configuration(port)).unwrap();
        let mut nginx = Nginx { port, folder: folder.to_owned(), process: None };
        nginx.launch();
        nginx
    }

    /// Starts it again after [`Nginx::stop`].
    pub fn launch(&mut self) {
        let program = if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
        let mut command = Command::new(program);
        command.arg("-p").arg(&self.folder).args(["-c", "nginx.conf", "-e", "startup.log"]);
        self.process = Some(Process::start(&mut command));
        let port = self.port;
        crate::wait::until("nginx to answer", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    }

    /// Stops it; its port refuses connections from then on.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.terminate();
        }
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its access log.
    #[must_use]
    pub fn access_log(&self) -> PathBuf {
        self.folder.join("access.log")
    }
}

fn configuration(port: u16) -> String {
    format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nevents {{ worker_connections 64; }}\n\
         http {{\n  access_log access.log combined;\n  error_log error.log;\n  client_body_temp_path body;\n  \
         proxy_temp_path proxy;\n  fastcgi_temp_path fastcgi;\n  uwsgi_temp_path uwsgi;\n  scgi_temp_path scgi;\n  \
         server {{\n    listen 127.0.0.1:{port};\n    location / {{ return 200 'ok'; }}\n    \
         location /fail {{ return 500 'broken'; }}\n  }}\n}}\n"
    )
}
