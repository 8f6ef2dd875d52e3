package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
)

// claimTag is the tag of an instance that no state is known to have. Its value is made from the owner and the name, so
// that an apply which was killed needs to have kept nothing. The first refresh of the instance removes it.
const claimTag = "terraform-claim"

// cloud is the service, for one configuration of the provider.
type cloud struct {
	client *kafka.KafkaClient
	caller *huawei.Caller
	owner  string
	poll   time.Duration

	mu    sync.Mutex
	taken map[string]bool // the ids that this process has given to a resource: no other one adopts them
}

func newCloud(m *providerModel, poll time.Duration) (*cloud, error) {
	credential, err := basic.NewCredentialsBuilder().WithAk(m.AccessKey.ValueString()).
		WithSk(m.SecretKey.ValueString()).WithProjectId(m.ProjectID.ValueString()).SafeBuild()
	if err != nil {
		return nil, err
	}
	hc, err := kafka.KafkaClientBuilder().WithEndpoint(m.Endpoint.ValueString()).WithCredential(credential).SafeBuild()
	if err != nil {
		return nil, err
	}
	return &cloud{
		client: kafka.NewKafkaClient(hc), caller: huawei.NewCaller(hc), owner: m.Owner.ValueString(), poll: poll,
		taken: map[string]bool{},
	}, nil
}

// claim is the value of an instance's claimTag.
func (c *cloud) claim(name string) string {
	sum := sha256.Sum256([]byte(c.owner + "\x00" + name))
	return hex.EncodeToString(sum[:16])
}

// claimed lists the instances of this name that an interrupted apply of this configuration has left.
func (c *cloud) claimed(ctx context.Context, name string) ([]taskwait.Task, error) {
	var found []taskwait.Task
	for read := 0; ; {
		reply, err := huawei.Query(ctx, c.caller, "dms:instance:list",
			func(hc *core.HcHttpClient) (*model.ListInstancesResponse, error) {
				limit, offset := "50", strconv.Itoa(read)
				exact := model.GetListInstancesRequestExactMatchNameEnum().TRUE
				return kafka.NewKafkaClient(hc).ListInstances(&model.ListInstancesRequest{
					Engine: model.GetListInstancesRequestEngineEnum().KAFKA,
					Name:   &name, ExactMatchName: &exact, Limit: &limit, Offset: &offset,
				})
			})
		if err != nil {
			return nil, err
		}
		if reply.Value.Instances == nil || reply.Value.InstanceNum == nil {
			return nil, reply.Lacks("instances")
		}
		for _, i := range *reply.Value.Instances {
			id := value(i.InstanceId)
			if value(i.Name) == name && tagged(i.Tags, c.claim(name)) && !c.isTaken(id) {
				found = append(found, taskwait.Task{ID: id, Phase: value(i.Status), Status: taskwait.StatusCreated})
			}
		}
		read += len(*reply.Value.Instances)
		if len(*reply.Value.Instances) == 0 || read >= int(*reply.Value.InstanceNum) {
			return found, nil
		}
	}
}

// create returns the request for a new instance, which bears the claim.
func (c *cloud) create(m *instanceModel, zones []string) func(*kafka.KafkaClient) (*string, error) {
	name := m.Name.ValueString()
	body := &model.CreateInstanceByEngineReq{
		Name: name, Engine: model.GetCreateInstanceByEngineReqEngineEnum().KAFKA, EngineVersion: "2.7",
		ProductId:       m.Product.ValueString(),
		BrokerNum:       int32(m.Brokers.ValueInt64()), //nolint:gosec // the schema bounds it
		StorageSpace:    int32(m.Storage.ValueInt64()), //nolint:gosec // likewise
		StorageSpecCode: model.GetCreateInstanceByEngineReqStorageSpecCodeEnum().DMS_PHYSICAL_STORAGE_HIGH_V2,
		VpcId:           m.VPC.ValueString(), SubnetId: m.Subnet.ValueString(),
		SecurityGroupId: m.SecurityGroup.ValueString(), AvailableZones: zones, Tags: claimTags(c.claim(name)),
	}
	return func(client *kafka.KafkaClient) (*string, error) {
		answer, err := client.CreateInstanceByEngine(&model.CreateInstanceByEngineRequest{
			Engine: model.GetCreateInstanceByEngineRequestEngineEnum().KAFKA, Body: body,
		})
		if err != nil {
			return nil, err
		}
		return answer.InstanceId, nil
	}
}

// show reads an instance.
func (c *cloud) show(ctx context.Context, id string) (*model.ShowInstanceResponse, error) {
	reply, err := huawei.Query(ctx, c.caller, "dms:instance:get",
		func(hc *core.HcHttpClient) (*model.ShowInstanceResponse, error) {
			return kafka.NewKafkaClient(hc).ShowInstance(&model.ShowInstanceRequest{InstanceId: id})
		})
	if err == nil && value(reply.Value.InstanceId) != id {
		return nil, reply.Lacks("instance " + id)
	}
	return reply.Value, err
}

// release removes the claim of an instance: a state has it.
func (c *cloud) release(ctx context.Context, id, claim string) error {
	_, err := huawei.Mutate(ctx, c.caller, "dms:instance:modify",
		func(hc *core.HcHttpClient) (*model.BatchCreateOrDeleteKafkaTagResponse, error) {
			action := model.GetBatchCreateOrDeleteTagReqActionEnum().DELETE
			return kafka.NewKafkaClient(hc).BatchCreateOrDeleteKafkaTag(&model.BatchCreateOrDeleteKafkaTagRequest{
				InstanceId: id, Body: &model.BatchCreateOrDeleteTagReq{Action: &action, Tags: claimTags(claim)},
			})
		})
	return err
}

// extend returns the request for more storage, whose answer has the id of a task.
func extend(id string, gigabytes int64) func(*kafka.KafkaClient) (*string, error) {
	return func(client *kafka.KafkaClient) (*string, error) {
		size := int32(gigabytes) //nolint:gosec // the schema bounds it
		answer, err := client.ResizeKafkaInstance(&model.ResizeKafkaInstanceRequest{
			InstanceId: id, Body: &model.ResizeEngineInstanceReq{OperType: "storage", NewStorageSpace: &size},
		})
		if err != nil {
			return nil, err
		}
		return answer.JobId, nil
	}
}

// extension is the task of an extension to this size that was begun before and has not failed; "": there is none.
func (c *cloud) extension(ctx context.Context, id string, gigabytes int64) (string, error) {
	reply, err := huawei.Query(ctx, c.caller, "dms:instance:getBackgroundTask",
		func(hc *core.HcHttpClient) (*model.ListBackgroundTasksResponse, error) {
			most := int32(100)
			return kafka.NewKafkaClient(hc).ListBackgroundTasks(
				&model.ListBackgroundTasksRequest{InstanceId: id, Limit: &most})
		})
	if err != nil {
		return "", err
	}
	if reply.Value.Tasks == nil {
		return "", reply.Lacks("tasks")
	}
	for _, t := range *reply.Value.Tasks {
		var asked struct {
			Storage int64 `json:"new_storage_space"`
		}
		status := taskwait.Status(value(t.Status))
		if json.Unmarshal([]byte(value(t.Params)), &asked) == nil && asked.Storage == gigabytes &&
			(status.Succeeded() || !status.Terminal()) {
			return value(t.Id), nil
		}
	}
	return "", nil
}

// severalClaimed is the error where it cannot be known which instance is the one.
func severalClaimed(name string, all []taskwait.Task) error {
	var ids []string
	for _, t := range all {
		ids = append(ids, t.ID)
	}
	return &taskwait.QueryError{Class: taskwait.ClassPermanent, Err: fmt.Errorf(
		"%d instances named %q bear the claim of this configuration, want at most one: %q", len(all), name, ids)}
}

// take gives an instance to a resource, and reports whether it was free.
func (c *cloud) take(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	free := !c.taken[id]
	c.taken[id] = true
	return free
}

func (c *cloud) isTaken(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.taken[id]
}

func claimTags(claim string) *[]model.TagEntity {
	key := claimTag
	return &[]model.TagEntity{{Key: &key, Value: &claim}}
}

func tagged(tags *[]model.TagEntity, claim string) bool {
	return slices.ContainsFunc(value(tags), func(t model.TagEntity) bool {
		return value(t.Key) == claimTag && value(t.Value) == claim
	})
}

// value is what a pointer of the SDK's points to; nil: the zero value.
func value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}
