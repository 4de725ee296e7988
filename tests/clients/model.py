"""Checks raw answers of the local Pinpoint against botocore's own model of the service.

Stricter than botocore's parser, which passes over what it does not know: every member of a body must be one of the shape's,
of its type and within its enum; what the shape requires must be there; dates must be ISO 8601.
"""

import json
import re

DATE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


class Mismatch(AssertionError):
    """An answer that the model does not allow."""


def check_value(shape, value, place):
    """Raises Mismatch where a JSON value is not of the shape."""
    kind = shape.type_name
    if kind == "structure":
        expect(isinstance(value, dict), place, "is no object", value)
        names = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for name, inner in value.items():
            expect(name in names, f"{place}.{name}", f"is no member of {shape.name}", inner)
            check_value(names[name], inner, f"{place}.{name}")
            if name.endswith("Date"):
                expect(DATE.match(inner), f"{place}.{name}", "is no date", inner)
        for name in shape.required_members:
            expect(name in value, place, f"lacks {name}, which {shape.name} requires", sorted(value))
    elif kind == "list":
        expect(isinstance(value, list), place, "is no list", value)
        for number, inner in enumerate(value):
            check_value(shape.member, inner, f"{place}[{number}]")
    elif kind == "map":
        expect(isinstance(value, dict), place, "is no map", value)
        for name, inner in value.items():
            check_value(shape.value, inner, f"{place}.{name}")
    elif kind == "string":
        expect(isinstance(value, str), place, "is no text", value)
        expect(not shape.enum or value in shape.enum, place, f"is none of {shape.enum}", value)
    elif kind == "boolean":
        expect(isinstance(value, bool), place, "is no truth value", value)
    elif kind in ("integer", "long"):
        expect(isinstance(value, int) and not isinstance(value, bool), place, "is no integer", value)
    elif kind in ("double", "float"):
        expect(isinstance(value, (int, float)) and not isinstance(value, bool), place, "is no number", value)
    else:
        raise Mismatch(f"{place}: a shape of type {kind} is not known to this check")


def expect(holds, place, what, value):
    if not holds:
        raise Mismatch(f"{place} {what}: {value!r}")


def check_answer(operation, status, headers, body):
    """Raises Mismatch where an answer is not as the model of its operation has it."""
    headers = {name.lower(): value for name, value in headers.items()}
    expect("x-amzn-requestid" in headers, operation.name, "has no request id", headers)
    value = json.loads(body)
    if status < 300:
        expect(status == operation.http["responseCode"], operation.name, "has another status", status)
        output = operation.output_shape
        check_value(output.members[output.serialization["payload"]], value, operation.name)
        return
    kind = headers.get("x-amzn-errortype", "")
    errors = {shape.name: shape for shape in operation.error_shapes}
    # Signatures are refused by AWS's front door, whose errors no service's model has.
    front_door = {
        "AccessDeniedException", "IncompleteSignatureException", "InvalidSignatureException",
        "MissingAuthenticationTokenException", "UnrecognizedClientException",
    }
    expect(kind in errors or kind in front_door, operation.name, "has an error that the model does not", kind)
    if kind in errors:
        expect(status == errors[kind].metadata["error"]["httpStatusCode"], operation.name, "has another status", status)
        check_value(errors[kind], value, f"{operation.name}: {kind}")


def check_the_check(service):
    """Shows that the check can fail, in each way that it knows."""
    job = {
        "ApplicationId": "a", "Id": "j", "CreationDate": "2026-10-30T00:00:00.000Z", "JobStatus": "CREATED", "Type": "EXPORT",
        "Definition": {"RoleArn": "r", "S3UrlPrefix": "s3://b/p/"},
    }
    operation, headers = service.operation_model("GetExportJob"), {"x-amzn-RequestId": "r"}
    good = lambda **changes: json.dumps({**job, **changes})
    check_answer(operation, 200, headers, good())
    for status, sent, body in [
        (202, headers, good()),
        (200, {}, good()),
        (200, headers, good(JobStatus="ON_HOLD")),
        (200, headers, good(TotalPieces="1")),
        (200, headers, good(Definition=[])),
        (200, headers, good(Failures={})),
        (200, headers, good(CreationDate="today")),
        (200, headers, good(Surprise=1)),
        (200, headers, json.dumps({name: job[name] for name in job if name != "Id"})),
        (404, headers, '{"Message":"no"}'),
        (400, {**headers, "x-amzn-ErrorType": "NotFoundException"}, '{"Message":"no"}'),
        (404, {**headers, "x-amzn-ErrorType": "NotFoundException"}, '{"message":"no"}'),
    ]:
        try:
            check_answer(operation, status, sent, body)
        except Mismatch:
            continue
        raise AssertionError(f"the check let this pass: {status} {sent} {body}")
