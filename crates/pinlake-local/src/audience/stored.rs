//! The bytes of an endpoint in the state: its last request's id, which exports do not show, and its line as they do.

use serde_json::Error;

use crate::model::EndpointResponse;

/// An endpoint's bytes: the length of the request id, the request id, the line.
pub(super) fn encode(request_id: &str, line: &[u8]) -> Vec<u8> {
    // Request ids are UUIDs or what a client sent; one that is too long is of no use to anybody.
    let request_id = request_id.as_bytes();
    let request_id = if request_id.len() > usize::from(u8::MAX) { &[][..] } else { request_id };
    let mut bytes = Vec::with_capacity(1 + request_id.len() + line.len());
    bytes.push(u8::try_from(request_id.len()).unwrap_or(0));
    bytes.extend_from_slice(request_id);
    bytes.extend_from_slice(line);
    bytes
}

/// The bytes of an endpoint that was changed here.
pub(super) fn encode_endpoint(endpoint: &EndpointResponse) -> Result<Vec<u8>, Error> {
    let mut shown = endpoint.clone();
    let request_id = shown.request_id.take().unwrap_or_default();
    Ok(encode(&request_id, &serde_json::to_vec(&shown)?))
}

/// The line, as exports show it.
pub(super) fn line(bytes: &[u8]) -> &[u8] {
    let length = bytes.first().copied().map_or(0, usize::from);
    bytes.get(1 + length..).unwrap_or_default()
}

/// The endpoint, with the id of its last request.
pub(super) fn decode(bytes: &[u8]) -> Result<EndpointResponse, Error> {
    let mut endpoint = EndpointResponse::from_line(line(bytes))?;
    let request_id = bytes.get(1..bytes.len() - line(bytes).len()).unwrap_or_default();
    if !request_id.is_empty() {
        endpoint.request_id = Some(String::from_utf8_lossy(request_id).into_owned());
    }
    Ok(endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_id_is_kept_beside_the_line() -> Result<(), Error> {
        let endpoint = EndpointResponse {
            id: Some("e".to_owned()),
            request_id: Some("r-1".to_owned()),
            ..EndpointResponse::default()
        };
        let bytes = encode_endpoint(&endpoint)?;
        assert_eq!(line(&bytes), br#"{"Id":"e"}"#);
        assert_eq!(decode(&bytes)?, endpoint);
        assert_eq!(decode(&encode(&"x".repeat(300), b"{}"))?, EndpointResponse::default());
        Ok(())
    }
}
