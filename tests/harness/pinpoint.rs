//! Requests to the loopback Pinpoint that the program itself never makes, in the wire form, signed.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use super::World;

impl World {
    /// Sends a request below the application's path, and returns status and body.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let path = format!("/v1/apps/{}/{path}", self.server.application_id());
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let host = self.server.pinpoint_url().replace("http://", "");
        let length = body.len();
        let signed = self.signed(method, &path, &body).into_iter();
        let signed: Vec<String> = signed.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let signed = signed.concat();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n{signed}"
        );
        let mut stream = TcpStream::connect(&host).unwrap();
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    /// The same, and insists on success.
    pub(crate) fn answer(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, path, body);
        assert!((200..300).contains(&status), "{method} {path} {body}: {status} {answer}");
        answer
    }

    /// Creates a job (`export` or `import`), waits until it is completed, and returns what is told of it then.
    pub(crate) fn job(&self, kind: &str, request: &Value) -> Value {
        let mut job = self.answer("POST", &format!("jobs/{kind}"), request);
        let path = format!("jobs/{kind}/{}", job["Id"].as_str().unwrap());
        while job["JobStatus"] != "COMPLETED" {
            assert_ne!(job["JobStatus"], "FAILED", "{job}");
            job = self.answer("GET", &path, &json!(null));
        }
        job
    }

    /// The lines of the pieces that lie under a prefix of the bucket.
    pub(crate) fn lines(&self, prefix: &str) -> Vec<String> {
        let store = self.server.store();
        let mut lines = Vec::new();
        for key in store.keys(self.server.bucket(), prefix).unwrap() {
            let bytes = store.get(self.server.bucket(), &key).unwrap().bytes().unwrap();
            let mut text = String::new();
            MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
            lines.extend(text.lines().map(str::to_owned));
        }
        lines
    }

    /// The headers that sign a request.
    fn signed(&self, method: &str, path: &str, body: &str) -> Vec<(String, String)> {
        let keys = self.server.credentials();
        let identity =
            Credentials::new(&keys.access_key_id, &keys.secret_access_key, None, None, "test").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.server.region())
            .name("mobiletargeting")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .unwrap();
        let url = format!("{}{path}", self.server.pinpoint_url());
        let body = SignableBody::Bytes(body.as_bytes());
        let request = SignableRequest::new(method, url, std::iter::empty(), body).unwrap();
        let (instructions, _) = sign(request, &parameters.into()).unwrap().into_parts();
        instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}
