// The SDK route of AWS's page in JavaScript: export, wait, list, download, count; then endpoints, a segment and errors.
// The environment is what `pinlake local` prints.

import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { setTimeout as sleep } from "node:timers/promises";
import * as P from "@aws-sdk/client-pinpoint";
import { GetObjectCommand, paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3";

const ApplicationId = process.env.PINLAKE_APPLICATION_ID;
const Bucket = process.env.PINLAKE_BUCKET;
const RoleArn = "arn:aws:iam::123456789012:role/pinpoint-export";
const pinpoint = new P.PinpointClient({ maxAttempts: 1 });
const s3 = new S3Client({ forcePathStyle: true });

async function exported(prefix, request = {}) {
  const created = await pinpoint.send(
    new P.CreateExportJobCommand({ ApplicationId, ExportJobRequest: { RoleArn, S3UrlPrefix: `s3://${Bucket}/${prefix}`, ...request } }),
  );
  let job = created.ExportJobResponse;
  assert.equal(job.JobStatus, "CREATED");
  while (!["COMPLETED", "FAILED"].includes(job.JobStatus)) {
    await sleep(20);
    job = (await pinpoint.send(new P.GetExportJobCommand({ ApplicationId, JobId: job.Id }))).ExportJobResponse;
  }
  assert.equal(job.JobStatus, "COMPLETED");
  const endpoints = [];
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket, Prefix: prefix })) {
    for (const { Key } of page.Contents ?? []) {
      const object = await s3.send(new GetObjectCommand({ Bucket, Key }));
      const text = gunzipSync(await object.Body.transformToByteArray()).toString("utf8");
      endpoints.push(...text.split("\n").filter(Boolean).map((line) => JSON.parse(line)));
    }
  }
  assert.equal(endpoints.length, job.TotalProcessed);
  return endpoints;
}

const all = await exported("by-javascript/");
assert.ok(all.length > 0);

const EndpointRequest = { ChannelType: "CUSTOM", Address: "js", Attributes: { by: ["javascript"] }, Metrics: { one: 1 } };
await pinpoint.send(new P.UpdateEndpointCommand({ ApplicationId, EndpointId: "js/1", EndpointRequest }));
const found = (await pinpoint.send(new P.GetEndpointCommand({ ApplicationId, EndpointId: "js/1" }))).EndpointResponse;
assert.deepEqual([found.Attributes, found.Metrics, found.OptOut], [{ by: ["javascript"] }, { one: 1 }, "NONE"]);

const Dimensions = { Attributes: { by: { AttributeType: "INCLUSIVE", Values: ["javascript"] } } };
const made = await pinpoint.send(new P.CreateSegmentCommand({ ApplicationId, WriteSegmentRequest: { Name: "js", Dimensions } }));
const members = await exported("js-segment/", { SegmentId: made.SegmentResponse.Id });
assert.deepEqual(members.map(({ Id }) => Id), ["js/1"]);

await assert.rejects(pinpoint.send(new P.GetEndpointCommand({ ApplicationId, EndpointId: "nobody" })), P.NotFoundException);
await assert.rejects(
  pinpoint.send(new P.UpdateEndpointCommand({ ApplicationId, EndpointId: "x", EndpointRequest: {} })),
  P.BadRequestException,
);
await pinpoint.send(new P.DeleteEndpointCommand({ ApplicationId, EndpointId: "js/1" }));
console.log(`walk.mjs: node ${process.version}: ${all.length} endpoints exported, ${members.length} of a segment`);
