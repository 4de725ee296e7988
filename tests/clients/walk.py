"""Walks AWS's page "Exporting endpoints from Amazon Pinpoint" against `pinlake local`, by the CLI, by boto3 and by signed
HTTP, and goes on to endpoints, users, segments, imports and errors. Every raw answer is checked against botocore's model.

The environment is what `pinlake local` prints. `aws` must be in the PATH. Exits with 1 at the first thing that is not so.
"""

import gzip
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
from datetime import datetime, timedelta, timezone
from pathlib import Path

import boto3
import botocore
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

import model

APPLICATION = os.environ["PINLAKE_APPLICATION_ID"]
BUCKET = os.environ["PINLAKE_BUCKET"]
ROLE = "arn:aws:iam::123456789012:role/pinpoint-export"
checked = {}


def client(**changes):
    """A Pinpoint client that retries nothing and has every answer checked."""
    made = boto3.client("pinpoint", config=Config(retries={"max_attempts": 0}), **changes)

    def check(operation_model, response_dict, **_):
        body = response_dict["body"]
        model.check_answer(operation_model, response_dict["status_code"], response_dict["headers"], body)
        checked[operation_model.name] = checked.get(operation_model.name, 0) + 1

    made.meta.events.register("before-parse.pinpoint.*", check)
    return made


def rows(folder):
    """How many lines the pieces of a folder have."""
    return sum(len(gzip.decompress(piece.read_bytes()).splitlines()) for piece in Path(folder).rglob("*.gz"))


def aws(*arguments):
    """Runs the AWS CLI, and returns what it printed as JSON, or as it is."""
    done = subprocess.run(["aws", *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"aws {' '.join(arguments)}: {done.stderr}"
    return json.loads(done.stdout) if done.stdout.lstrip().startswith(("{", "[")) else done.stdout


def awaited(get):
    """Asks for a job until it has ended; the statuses that were seen come in the model's order."""
    order = ["CREATED", "PREPARING_FOR_INITIALIZATION", "INITIALIZING", "PROCESSING", "COMPLETING", "COMPLETED", "FAILING", "FAILED"]
    seen = -1
    for _ in range(3000):
        job = get()
        assert order.index(job["JobStatus"]) >= seen, job
        seen = order.index(job["JobStatus"])
        if job["JobStatus"] in ("COMPLETED", "FAILED"):
            return job
        time.sleep(0.02)
    raise AssertionError("a job does not end")


def the_page_by_cli(folder):
    created = aws(
        "pinpoint", "create-export-job", "--application-id", APPLICATION, "--export-job-request",
        f"S3UrlPrefix=s3://{BUCKET}/pinpoint/exports/endpoints/,RoleArn={ROLE}",
    )["ExportJobResponse"]
    assert (created["JobStatus"], created["Type"]) == ("CREATED", "EXPORT"), created
    get = lambda: aws("pinpoint", "get-export-job", "--application-id", APPLICATION, "--job-id", created["Id"])["ExportJobResponse"]
    job = awaited(get)
    assert (job["JobStatus"], job["FailedPieces"], job["TotalFailures"]) == ("COMPLETED", 0, 0), job
    assert job["CompletedPieces"] == job["TotalPieces"] and job["TotalProcessed"] > 0, job
    listed = aws("s3api", "list-objects-v2", "--bucket", BUCKET, "--prefix", "pinpoint/exports/endpoints/")
    keys = [entry["Key"] for entry in listed["Contents"] if entry["Key"].endswith(".gz")]
    assert len(keys) == job["TotalPieces"], keys
    aws("s3", "cp", f"s3://{BUCKET}/{keys[0]}", f"{folder}/one/")
    aws("s3", "sync", f"s3://{BUCKET}/pinpoint/exports/endpoints/", f"{folder}/all/")
    assert 0 < rows(f"{folder}/one") <= job["TotalProcessed"] == rows(f"{folder}/all"), job
    return job["TotalProcessed"]


def export(pinpoint, prefix, **request):
    """Exports by boto3; the job and the endpoints that its pieces hold."""
    request = {"RoleArn": ROLE, "S3UrlPrefix": f"s3://{BUCKET}/{prefix}", **request}
    created = pinpoint.create_export_job(ApplicationId=APPLICATION, ExportJobRequest=request)["ExportJobResponse"]
    get = lambda: pinpoint.get_export_job(ApplicationId=APPLICATION, JobId=created["Id"])["ExportJobResponse"]
    job = awaited(get)
    s3, endpoints = boto3.client("s3"), []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
        for entry in page.get("Contents", []):
            piece = s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
            endpoints += [json.loads(line) for line in gzip.decompress(piece).splitlines()]
    assert job["TotalProcessed"] == len(endpoints), (job, len(endpoints))
    return job, endpoints


def signed(method, path, body="", secret=None, moment=None, headers=None):
    """A request that botocore signs and http.client sends: status, headers, body."""
    url = urllib.parse.urlparse(os.environ["AWS_ENDPOINT_URL_PINPOINT"])
    request = AWSRequest(method, url.geturl() + path, data=body, headers={"Content-Type": "application/json", "Accept": "application/json"})
    keys = Credentials(os.environ["AWS_ACCESS_KEY_ID"], secret or os.environ["AWS_SECRET_ACCESS_KEY"])
    signer = SigV4Auth(keys, "mobiletargeting", os.environ["AWS_REGION"])
    if moment:
        import botocore.auth as auth
        usual, auth.get_current_datetime = auth.get_current_datetime, lambda remove_tzinfo=True: moment
        try:
            signer.add_auth(request)
        finally:
            auth.get_current_datetime = usual
    else:
        signer.add_auth(request)
    connection = http.client.HTTPConnection(url.netloc, timeout=30)
    connection.request(method, path, body=body, headers={**dict(request.headers), **(headers or {})})
    answer = connection.getresponse()
    return answer.status, dict(answer.headers), answer.read()


def the_page_by_http(service, endpoints):
    # The page's prefix has no slash at its end.
    body = json.dumps({"S3UrlPrefix": f"s3://{BUCKET}/by-http", "RoleArn": ROLE})
    path = f"/v1/apps/{APPLICATION}/jobs/export"
    status, headers, answer = signed("POST", path, body)
    model.check_answer(service.operation_model("CreateExportJob"), status, headers, answer)
    job_id = json.loads(answer)["Id"]

    def get():
        status, headers, answer = signed("GET", f"{path}/{job_id}")
        model.check_answer(service.operation_model("GetExportJob"), status, headers, answer)
        return json.loads(answer)

    job = awaited(get)
    assert job["TotalProcessed"] == endpoints, job


def refusals_of_signatures(service):
    path = f"/v1/apps/{APPLICATION}"
    operation = service.operation_model("GetApp")
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    for case, answer in {
        "wrong secret": signed("GET", path, secret="x" * 40),
        "altered body": signed("GET", path, headers={"Authorization": "AWS4-HMAC-SHA256 nonsense"}),
        "an hour ago": signed("GET", path, moment=now - timedelta(hours=1)),
    }.items():
        model.check_answer(operation, *answer)
        assert answer[0] == 403, (case, answer)
    url = urllib.parse.urlparse(os.environ["AWS_ENDPOINT_URL_PINPOINT"])
    connection = http.client.HTTPConnection(url.netloc, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    model.check_answer(operation, answer.status, dict(answer.headers), answer.read())
    assert answer.status == 403, answer.status


def endpoints_and_users(pinpoint):
    app = {"ApplicationId": APPLICATION}
    request = {
        "ChannelType": "EMAIL", "Address": "walk@example.com", "Attributes": {"team": ["Angels"]}, "Metrics": {"visits": 3},
        "Location": {"Country": "US", "Latitude": 47.61, "Longitude": -122.33}, "User": {"UserId": "walker", "UserAttributes": {"plan": ["gold"]}},
    }
    assert pinpoint.update_endpoint(**app, EndpointId="walk/1+", EndpointRequest=request)["MessageBody"]["Message"] == "Accepted"
    found = pinpoint.get_endpoint(**app, EndpointId="walk/1+")["EndpointResponse"]
    assert (found["Location"]["Latitude"], found["EndpointStatus"], found["OptOut"]) == (47.6, "ACTIVE", "NONE"), found
    items = [{"Id": f"walk-{number}", "ChannelType": "SMS", "Address": f"+1555{number:07}", "User": {"UserId": "walker"}} for number in range(10)]
    pinpoint.update_endpoints_batch(**app, EndpointBatchRequest={"Item": items})
    assert len(pinpoint.get_user_endpoints(**app, UserId="walker")["EndpointsResponse"]["Item"]) == 11
    assert pinpoint.delete_endpoint(**app, EndpointId="walk-0")["EndpointResponse"]["Id"] == "walk-0"
    by_cli = aws("pinpoint", "get-endpoint", "--application-id", APPLICATION, "--endpoint-id", "walk/1+")["EndpointResponse"]
    assert by_cli["Attributes"] == {"team": ["Angels"]}, by_cli
    aws("pinpoint", "update-endpoint", "--application-id", APPLICATION, "--endpoint-id", "by-cli", "--endpoint-request", "ChannelType=SMS,Address=+15559999999")
    assert pinpoint.get_endpoint(**app, EndpointId="BY-CLI")["EndpointResponse"]["Id"] == "by-cli"


def segments(pinpoint):
    app = {"ApplicationId": APPLICATION}
    dimensions = {"Attributes": {"team": {"AttributeType": "INCLUSIVE", "Values": ["Angels"]}}, "Demographic": {"Channel": {"Values": ["EMAIL"], "DimensionType": "INCLUSIVE"}}}
    made = pinpoint.create_segment(**app, WriteSegmentRequest={"Name": "angels", "Dimensions": dimensions})["SegmentResponse"]
    _, members = export(pinpoint, "angels/", SegmentId=made["Id"])
    assert any(member["Id"] == "walk/1+" for member in members), len(members)
    assert all("Angels" in member["Attributes"]["team"] and member["ChannelType"] == "EMAIL" for member in members)
    groups = {"Groups": [{"SourceSegments": [{"Id": made["Id"]}], "SourceType": "ANY", "Type": "ALL", "Dimensions": [{"UserAttributes": {"plan": {"Values": ["gold"]}}}]}], "Include": "ALL"}
    grouped = pinpoint.create_segment(**app, WriteSegmentRequest={"Name": "grouped", "SegmentGroups": groups})["SegmentResponse"]
    _, some = export(pinpoint, "grouped/", SegmentId=grouped["Id"])
    assert 0 < len(some) <= len(members), (len(some), len(members))
    updated = pinpoint.update_segment(**app, SegmentId=made["Id"], WriteSegmentRequest={"Name": "angels 2"})["SegmentResponse"]
    assert updated["Version"] == 2, updated
    assert pinpoint.get_segment_version(**app, SegmentId=made["Id"], Version="1")["SegmentResponse"]["Name"] == "angels"
    assert len(pinpoint.get_segment_versions(**app, SegmentId=made["Id"])["SegmentsResponse"]["Item"]) == 2
    assert len(pinpoint.get_segment_export_jobs(**app, SegmentId=made["Id"])["ExportJobsResponse"]["Item"]) == 1
    page = pinpoint.get_segments(**app, PageSize="1")["SegmentsResponse"]
    assert len(page["Item"]) == 1 and page["NextToken"], page
    pinpoint.delete_segment(**app, SegmentId=grouped["Id"])


def imports(pinpoint):
    app, s3 = {"ApplicationId": APPLICATION}, boto3.client("s3")
    s3.put_object(Bucket=BUCKET, Key="import/a.csv", Body="Id,ChannelType,Address,User.UserAttributes.f,User.UserAttributes.f\ni1,SMS,+1444,test10,test20\ni2,EMAIL,i2@example.com,,\n")
    s3.put_object(Bucket=BUCKET, Key="import/b.json", Body='{"ChannelType":"SMS","Address":"+1445","Attributes":{"Ride":["Bus"]}}\nnonsense\n')
    for key, format, processed, failed in [("import/a.csv", "CSV", 2, 0), ("import/", "JSON", 1, 1)]:
        request = {"Format": format, "S3Url": f"s3://{BUCKET}/{key}", "RoleArn": ROLE, "DefineSegment": True, "RegisterEndpoints": True, "SegmentName": key}
        created = pinpoint.create_import_job(**app, ImportJobRequest=request)["ImportJobResponse"]
        job = awaited(lambda: pinpoint.get_import_job(**app, JobId=created["Id"])["ImportJobResponse"])
        assert (job["JobStatus"], job["TotalProcessed"], job["TotalFailures"]) == ("COMPLETED", processed, failed), job
        segment_id = job["Definition"]["SegmentId"]
        segment = pinpoint.get_segment(**app, SegmentId=segment_id)["SegmentResponse"]
        assert (segment["SegmentType"], segment["ImportDefinition"]["Size"]) == ("IMPORT", processed), segment
        _, members = export(pinpoint, f"of-{format}/", SegmentId=segment_id)
        assert len(members) == processed, members
        assert len(pinpoint.get_segment_import_jobs(**app, SegmentId=segment_id)["ImportJobsResponse"]["Item"]) == 1
    imported = pinpoint.get_endpoint(**app, EndpointId="i1")["EndpointResponse"]
    assert imported["User"]["UserAttributes"] == {"f": ["test10", "test20"]}, imported
    assert len(pinpoint.get_import_jobs(**app)["ImportJobsResponse"]["Item"]) >= 2


def applications(pinpoint):
    made = [pinpoint.create_app(CreateApplicationRequest={"Name": f"walk {number}", "tags": {"by": "walk"}})["ApplicationResponse"] for number in range(3)]
    seen, token = [], None
    while True:
        page = pinpoint.get_apps(PageSize="2", **({"Token": token} if token else {}))["ApplicationsResponse"]
        seen += [application["Id"] for application in page["Item"]]
        token = page.get("NextToken")
        if not token:
            break
    assert len(seen) == len(set(seen)) and {application["Id"] for application in made} < set(seen), seen
    for application in made:
        assert pinpoint.get_app(ApplicationId=application["Id"])["ApplicationResponse"]["Name"].startswith("walk")
        pinpoint.delete_app(ApplicationId=application["Id"])
    raises(pinpoint, "NotFoundException", lambda: pinpoint.get_app(ApplicationId=made[0]["Id"]))


def raises(pinpoint, name, call):
    try:
        call()
    except getattr(pinpoint.exceptions, name) as error:
        assert error.response["ResponseMetadata"]["RequestId"], error.response
        return
    raise AssertionError(f"{name} was not raised")


def refusals(pinpoint):
    app = {"ApplicationId": APPLICATION}
    raises(pinpoint, "NotFoundException", lambda: pinpoint.get_endpoint(**app, EndpointId="nobody"))
    raises(pinpoint, "NotFoundException", lambda: pinpoint.get_campaigns(**app))
    raises(pinpoint, "BadRequestException", lambda: pinpoint.update_endpoint(**app, EndpointId="x", EndpointRequest={"ChannelType": "SMS"}))
    raises(pinpoint, "BadRequestException", lambda: pinpoint.create_export_job(**app, ExportJobRequest={"RoleArn": ROLE, "S3UrlPrefix": "no-url"}))
    raises(pinpoint, "PayloadTooLargeException", lambda: pinpoint.update_endpoint(**app, EndpointId="x", EndpointRequest={"Address": "a" * 7_100_000}))
    request = {"RoleArn": ROLE, "S3UrlPrefix": "s3://a-bucket-that-is-not-there/x/"}
    created = pinpoint.create_export_job(**app, ExportJobRequest=request)["ExportJobResponse"]
    job = awaited(lambda: pinpoint.get_export_job(**app, JobId=created["Id"])["ExportJobResponse"])
    assert job["JobStatus"] == "FAILED" and job["Failures"], job
    page = pinpoint.get_export_jobs(**app, PageSize="1")["ExportJobsResponse"]
    assert len(page["Item"]) == 1 and page["NextToken"], page


def main():
    pinpoint = client()
    service = pinpoint.meta.service_model
    model.check_the_check(service)
    with tempfile.TemporaryDirectory() as folder:
        endpoints = the_page_by_cli(folder)
    job, exported = export(pinpoint, "by-boto3/")
    assert len(exported) == endpoints == job["TotalProcessed"], (len(exported), endpoints)
    the_page_by_http(service, endpoints)
    refusals_of_signatures(service)
    applications(pinpoint)
    endpoints_and_users(pinpoint)
    segments(pinpoint)
    imports(pinpoint)
    refusals(pinpoint)
    wrong = client(aws_secret_access_key="x" * 40, aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"])
    try:
        wrong.get_apps()
        raise AssertionError("a wrong secret was let in")
    except botocore.exceptions.ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403, error
    print(f"walk.py: boto3 {boto3.__version__}, botocore {botocore.__version__}: {sum(checked.values())} answers of {len(checked)} operations are as the model has them")


if __name__ == "__main__":
    sys.exit(main())
