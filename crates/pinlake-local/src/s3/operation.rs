//! Names an S3 request's operation from its method, path and query, for counters and fault rules. s3s decides for
//! itself what a request is; a name here only labels it.

use hyper::{HeaderMap, Method, Uri};

/// The operation by AWS's name, or `Other`.
pub(super) fn name(method: &Method, uri: &Uri, headers: &HeaderMap) -> &'static str {
    let has = |name: &str| {
        let mut members = uri.query().unwrap_or_default().split('&');
        members.any(|member| member.split('=').next() == Some(name))
    };
    let path = uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    match (method.as_str(), bucket.is_empty(), key.is_empty()) {
        ("GET", true, _) => "ListBuckets",
        ("PUT", false, true) if uri.query().is_none() => "CreateBucket",
        ("HEAD", false, true) => "HeadBucket",
        ("DELETE", false, true) => "DeleteBucket",
        ("GET", false, true) if has("location") => "GetBucketLocation",
        ("GET", false, true) if has("list-type") => "ListObjectsV2",
        ("GET", false, true) if has("uploads") => "ListMultipartUploads",
        ("GET", false, true) => "ListObjects",
        ("POST", false, true) if has("delete") => "DeleteObjects",
        ("GET", false, false) if has("uploadId") => "ListParts",
        ("GET", false, false) if has("attributes") => "GetObjectAttributes",
        ("GET", false, false) if has("tagging") => "GetObjectTagging",
        ("GET", false, false) => "GetObject",
        ("HEAD", false, false) => "HeadObject",
        ("PUT", false, false) if has("uploadId") && headers.contains_key("x-amz-copy-source") => {
            "UploadPartCopy"
        }
        ("PUT", false, false) if has("uploadId") => "UploadPart",
        ("PUT", false, false) if headers.contains_key("x-amz-copy-source") => "CopyObject",
        ("PUT", false, false) => "PutObject",
        ("DELETE", false, false) if has("uploadId") => "AbortMultipartUpload",
        ("DELETE", false, false) => "DeleteObject",
        ("POST", false, false) if has("uploads") => "CreateMultipartUpload",
        ("POST", false, false) if has("uploadId") => "CompleteMultipartUpload",
        _ => "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_names() {
        for (method, uri, expected) in [
            (Method::GET, "/", "ListBuckets"),
            (Method::GET, "/b/?list-type=2&prefix=a%2Fb", "ListObjectsV2"),
            (Method::GET, "/b?prefix=location", "ListObjects"),
            (Method::GET, "/b/a/b?x-id=GetObject", "GetObject"),
            (Method::PUT, "/b/a?partNumber=1&uploadId=x", "UploadPart"),
            (Method::POST, "/b/a?uploads", "CreateMultipartUpload"),
            (Method::POST, "/b?delete=", "DeleteObjects"),
            (Method::GET, "/b?uploads", "ListMultipartUploads"),
            (Method::GET, "/b/a?attributes", "GetObjectAttributes"),
            (Method::PUT, "/b?versioning", "Other"),
        ] {
            assert_eq!(name(&method, &uri.parse().unwrap_or_default(), &HeaderMap::new()), expected, "{uri}");
        }
    }
}
