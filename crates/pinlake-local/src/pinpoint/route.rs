//! From method and path to an operation.

use std::borrow::Cow;

use hyper::Method;
use percent_encoding::percent_decode_str;

use super::failure::Failure;

/// What is asked for. Ids are percent-decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation<'path> {
    CreateApp,
    GetApps,
    GetApp {
        application_id: Cow<'path, str>,
    },
    DeleteApp {
        application_id: Cow<'path, str>,
    },
    CreateExportJob {
        application_id: Cow<'path, str>,
    },
    GetExportJob {
        application_id: Cow<'path, str>,
        job_id: Cow<'path, str>,
    },
    GetExportJobs {
        application_id: Cow<'path, str>,
    },
    GetSegmentExportJobs {
        application_id: Cow<'path, str>,
        segment_id: Cow<'path, str>,
    },
    /// An operation of Pinpoint's model that this server does not have.
    Unserved(&'static str),
}

/// A request's way: an operation, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route<'path> {
    Found(Operation<'path>),
    Refused(Failure),
}

impl<'path> Route<'path> {
    /// The way of a request.
    pub(super) fn of(method: &Method, path: &'path str) -> Self {
        let segments: Vec<&str> = path.trim_start_matches('/').trim_end_matches('/').split('/').collect();
        match operation(method.as_str(), &segments) {
            Some(operation) => Route::Found(operation),
            None if METHODS.iter().any(|other| operation(other, &segments).is_some()) => {
                Route::Refused(Failure::method_not_allowed(method, path))
            }
            None => Route::Refused(Failure::unserved(method, path)),
        }
    }

    /// The operation, or the refusal as an error.
    pub(super) fn operation(self) -> Result<Operation<'path>, Failure> {
        match self {
            Route::Found(operation) => Ok(operation),
            Route::Refused(failure) => Err(failure),
        }
    }

    /// AWS's name of the operation, or `Other`.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Route::Refused(_) => "Other",
            Route::Found(operation) => match operation {
                Operation::CreateApp => "CreateApp",
                Operation::GetApps => "GetApps",
                Operation::GetApp { .. } => "GetApp",
                Operation::DeleteApp { .. } => "DeleteApp",
                Operation::CreateExportJob { .. } => "CreateExportJob",
                Operation::GetExportJob { .. } => "GetExportJob",
                Operation::GetExportJobs { .. } => "GetExportJobs",
                Operation::GetSegmentExportJobs { .. } => "GetSegmentExportJobs",
                Operation::Unserved(name) => name,
            },
        }
    }
}

/// Methods that any path has, to tell a wrong method from a wrong path.
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// The operation of a method on a path, by the table of Pinpoint's model.
fn operation<'path>(method: &str, segments: &[&'path str]) -> Option<Operation<'path>> {
    let ["v1", "apps", segments @ ..] = segments else { return None };
    Some(match (method, segments) {
        ("POST", []) => Operation::CreateApp,
        ("GET", []) => Operation::GetApps,
        ("GET", [app]) => Operation::GetApp { application_id: decoded(app) },
        ("DELETE", [app]) => Operation::DeleteApp { application_id: decoded(app) },
        ("POST", [app, "jobs", "export"]) => Operation::CreateExportJob { application_id: decoded(app) },
        ("GET", [app, "jobs", "export"]) => Operation::GetExportJobs { application_id: decoded(app) },
        ("GET", [app, "jobs", "export", job]) => {
            Operation::GetExportJob { application_id: decoded(app), job_id: decoded(job) }
        }
        ("GET", [app, "segments", segment, "jobs", "export"]) => {
            Operation::GetSegmentExportJobs { application_id: decoded(app), segment_id: decoded(segment) }
        }
        (method, [_, rest @ ..]) => Operation::Unserved(unserved(method, rest)?),
        _ => return None,
    })
}

/// Operations on endpoints, segments and imports, which have names and no answers yet.
fn unserved(method: &str, rest: &[&str]) -> Option<&'static str> {
    Some(match (method, rest) {
        ("PUT", ["endpoints"]) => "UpdateEndpointsBatch",
        ("GET", ["endpoints", _]) => "GetEndpoint",
        ("PUT", ["endpoints", _]) => "UpdateEndpoint",
        ("DELETE", ["endpoints", _]) => "DeleteEndpoint",
        ("GET", ["users", _]) => "GetUserEndpoints",
        ("DELETE", ["users", _]) => "DeleteUserEndpoints",
        ("GET", ["segments"]) => "GetSegments",
        ("POST", ["segments"]) => "CreateSegment",
        ("GET", ["segments", _]) => "GetSegment",
        ("PUT", ["segments", _]) => "UpdateSegment",
        ("DELETE", ["segments", _]) => "DeleteSegment",
        ("GET", ["segments", _, "versions"]) => "GetSegmentVersions",
        ("GET", ["segments", _, "versions", _]) => "GetSegmentVersion",
        ("GET", ["segments", _, "jobs", "import"]) => "GetSegmentImportJobs",
        ("POST", ["jobs", "import"]) => "CreateImportJob",
        ("GET", ["jobs", "import"]) => "GetImportJobs",
        ("GET", ["jobs", "import", _]) => "GetImportJob",
        _ => return None,
    })
}

/// A path segment without its percent-encoding.
fn decoded(segment: &str) -> Cow<'_, str> {
    percent_decode_str(segment).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_paths_lead_to_operations() {
        for (method, path, name) in [
            (Method::POST, "/v1/apps", "CreateApp"),
            (Method::GET, "/v1/apps/", "GetApps"),
            (Method::DELETE, "/v1/apps/a", "DeleteApp"),
            (Method::POST, "/v1/apps/a/jobs/export", "CreateExportJob"),
            (Method::GET, "/v1/apps/a/jobs/export/j", "GetExportJob"),
            (Method::GET, "/v1/apps/a/segments/s/jobs/export", "GetSegmentExportJobs"),
            (Method::PUT, "/v1/apps/a/endpoints/e%2F1", "UpdateEndpoint"),
            (Method::GET, "/v2/apps", "Other"),
        ] {
            assert_eq!(Route::of(&method, path).name(), name, "{method} {path}");
        }
        let route = Route::of(&Method::GET, "/v1/apps/a%2Fb");
        assert_eq!(route, Route::Found(Operation::GetApp { application_id: "a/b".into() }));
    }

    #[test]
    fn a_wrong_method_is_told_from_a_wrong_path() {
        let code = |method, path| {
            Route::of(&method, path).operation().err().map(|failure| failure.code().to_owned())
        };
        let not_allowed = Some("MethodNotAllowedException".to_owned());
        assert_eq!(code(Method::PATCH, "/v1/apps/a/jobs/export"), not_allowed);
        assert_eq!(code(Method::PUT, "/v1/apps"), not_allowed);
        assert_eq!(code(Method::GET, "/v1/apps/a/nothing"), Some("NotFoundException".to_owned()));
    }
}
