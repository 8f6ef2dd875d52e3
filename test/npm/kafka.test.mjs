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
  assert.equal(Date.parse(task.updated_at) - Date.parse(task.created_at), 1_500, "90 s, 60 times as fast");
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

// until asks again and again, with little rest, until is says that the answer will do.
async function until(ask, is, what) {
  for (let n = 0; n < 600; n++) {
    const answer = await ask();
    if (is(answer)) {
      return answer;
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.fail(`there never was ${what}`);
}

test("finds no task that there is not", async () => {
  assert.deepEqual((await show("nobody")).tasks, []);
});

test("pages with start, which counts from 1", async () => {
  const seen = [];
  for (let start = 1; ; start += 2) {
    const request = new kafka.ListBackgroundTasksRequest().withInstanceId("kafka-2").withLimit(2).withStart(start);
    const answer = await client().listBackgroundTasks(request);
    assert.equal(answer.task_count, "6");
    seen.push(...answer.tasks.map((t) => t.id));
    if (answer.tasks.length < 2) {
      break;
    }
  }
  assert.deepEqual(seen, ["grown", "t5", "t4", "t3", "t2", "t1"]);
});

test("shows the progress of an expansion", async () => {
  const request = new kafka.ShowBackgroundTaskProgressRequest().withInstanceId("kafka-2").withTaskId("grown");
  const answer = await client().showBackgroundTaskProgress(request);
  assert.equal(answer.progress_percentage, 100);
  assert.equal(answer.remain_time, 0);
  assert.deepEqual(answer.step_list.map((s) => [s.name, s.statue]), [["pre_check", "COMPLETED"], ["disk_expansion", "COMPLETED"]]);
});

test("lists scheduled tasks, and cancels one", async () => {
  const list = () => client().listScheduledTasks(new kafka.ListScheduledTasksRequest().withInstanceId("kafka-2"));
  const statuses = async () => Object.fromEntries((await list()).jobs.map((j) => [j.id, j.status]));
  assert.equal((await list()).job_count, "2");
  assert.deepEqual(await statuses(), { later: "CREATED", off: "CANCELLED" });
  const cancel = new kafka.UpdateScheduledTaskRequest().withInstanceId("kafka-2").withTaskId("later").withStatus("CANCELLED");
  await client().updateScheduledTask(cancel);
  assert.deepEqual(await statuses(), { later: "CANCELLED", off: "CANCELLED" });
});

test("is told of errors in the service's shape, the gateway's, and a proxy's", async () => {
  const zones = () => client().listAvailableZones(new kafka.ListAvailableZonesRequest());
  await assert.rejects(zones(), (e) => e.httpStatusCode === 502);
  await assert.rejects(zones(), (e) => e.httpStatusCode === 429 && e.errorCode === "APIGW.0308" && e.requestId !== "");
  assert.equal((await zones()).available_zones.length, 3);
  const gone = client().showInstance(new kafka.ShowInstanceRequest().withInstanceId("nobody"));
  await assert.rejects(gone, (e) => e.httpStatusCode === 404 && e.errorCode === "DMS.00404022" && e.errorMsg !== "");
});

test("shows an instance as the script says", async () => {
  const shown = await client().showInstance(new kafka.ShowInstanceRequest().withInstanceId("kafka-2"));
  assert.equal(shown.broker_num, 4);
  assert.equal(shown.product_id, "c6.4u8g.cluster");
  assert.equal(Object.keys(JSON.parse(shown.cross_vpc_info)).length, 4);
});

test("plays an instance's life", async () => {
  const body = new kafka.CreateInstanceByEngineReq()
    .withName("npm").withEngine("kafka").withEngineVersion("2.7").withBrokerNum(3).withStorageSpace(300)
    .withVpcId("v").withSubnetId("s").withSecurityGroupId("g").withAvailableZones(["z"])
    .withProductId("c6.2u4g.cluster").withStorageSpecCode("dms.physical.storage.high.v2")
    .withTags([new kafka.TagEntity().withKey("a").withValue("b")]);
  const created = await client().createInstanceByEngine(
    new kafka.CreateInstanceByEngineRequest().withEngine("kafka").withBody(body),
  );
  const id = created.instance_id;
  const status = async () => {
    try {
      return (await client().showInstance(new kafka.ShowInstanceRequest().withInstanceId(id))).status;
    } catch (e) {
      return e.errorCode;
    }
  };
  assert.equal(await status(), "CREATING");
  await until(status, (s) => s === "RUNNING", "a RUNNING instance");

  const configs = [new kafka.ModifyInstanceConfig().withName("log.retention.hours").withValue("48")];
  const changed = await client().modifyInstanceConfigs(
    new kafka.ModifyInstanceConfigsRequest().withInstanceId(id).withBody(new kafka.ModifyInstanceConfigsReq().withKafkaConfigs(configs)),
  );
  const task = async () => {
    const request = new kafka.ShowBackgroundTaskRequest().withInstanceId(id).withTaskId(changed.job_id);
    return (await client().showBackgroundTask(request)).tasks[0].status;
  };
  await until(task, (s) => s === "SUCCESS", "an end of the configuration");

  const act = (action) => client().batchRestartOrDeleteInstances(
    new kafka.BatchRestartOrDeleteInstancesRequest().withBody(
      new kafka.BatchRestartOrDeleteInstanceReq().withAction(action).withInstances([id]),
    ),
  );
  assert.equal((await act("restart")).results[0].result, "success");
  await until(status, (s) => s === "RUNNING", "a RUNNING instance after the restart");
  assert.equal((await act("delete")).results[0].result, "success");
  await until(status, (s) => s === "DMS.00404022", "an end of the instance");
  const listed = await client().listInstances(new kafka.ListInstancesRequest().withEngine("kafka"));
  assert.deepEqual(listed.instances.map((i) => i.instance_id).sort(), ["kafka-1", "kafka-2"]);
});
