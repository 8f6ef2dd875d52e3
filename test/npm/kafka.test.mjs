// The official Node.js SDK, which nobody here wrote, against taskwait serve-fake: .ci/run npm starts both.
import assert from "node:assert/strict";
import { test } from "node:test";
import core from "@huaweicloud/huaweicloud-sdk-core";
import kafka from "@huaweicloud/huaweicloud-sdk-kafka/v2/public-api.js";

const env = process.env;
const instance = env.TASKWAIT_INSTANCE;

// client is one with a secret key of its own, or with the one that serve-fake has printed.
function client(secret = env.HUAWEICLOUD_SDK_SK) {
  const credentials = new core.BasicCredentials()
    .withAk(env.HUAWEICLOUD_SDK_AK)
    .withSk(secret)
    .withProjectId(env.HUAWEICLOUD_SDK_PROJECT_ID);
  return kafka.KafkaClient.newBuilder().withCredential(credentials).withEndpoint(env.TASKWAIT_ENDPOINT).build();
}

const show = (id, c = client()) =>
  c.showBackgroundTask(new kafka.ShowBackgroundTaskRequest().withInstanceId(instance).withTaskId(id));

test("shows a task", async () => {
  const answer = await show("ended");
  assert.equal(answer.tasks.length, 1);
  const [task] = answer.tasks;
  assert.equal(task.id, "ended");
  assert.equal(task.name, "kafkaUpgrade");
  assert.equal(task.status, "FAILED");
  assert.equal(Date.parse(task.updated_at) - Date.parse(task.created_at), 90_000);
});

test("gets the fault that the script has next", async () => {
  await assert.rejects(show("ended"), (e) => e.httpStatusCode === 403 && e.errorCode === "DMS.00400503");
});

test("is refused with a wrong key", async () => {
  await assert.rejects(show("ended", client("wrong")), (e) => e.httpStatusCode === 401);
});

test("lists the tasks", async () => {
  const answer = await client().listBackgroundTasks(new kafka.ListBackgroundTasksRequest().withInstanceId(instance));
  assert.deepEqual(answer.tasks.map((t) => t.id), ["ended"]);
});

test("starts an operation, and waits for its task", async () => {
  const body = new kafka.ResizeEngineInstanceReq("storage").withNewStorageSpace(600);
  const started = await client().resizeEngineInstance(
    new kafka.ResizeEngineInstanceRequest().withEngine("kafka").withInstanceId(instance).withBody(body),
  );
  const seen = new Set();
  for (let status = ""; status !== "SUCCESS"; await new Promise((done) => setTimeout(done, 100))) {
    [{ status }] = (await show(started.job_id)).tasks;
    assert.ok(["CREATED", "EXECUTING", "SUCCESS"].includes(status), status);
    seen.add(status);
  }
  assert.ok(seen.size > 1, "it was over at once");
});

test("finds no task that there is not", async () => {
  assert.deepEqual((await show("nobody")).tasks, []);
});
