package kafkatasks

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/def"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/exchange"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
)

// answer is an answer's body as it came. The SDK's own types are strict where the service is not: one number instead of a
// string, and the whole answer is lost.
type answer struct {
	Body           *string
	HttpStatusCode int //nolint:revive,staticcheck // the SDK sets the field of this name
}

// path is what the paths of our requests are made of.
type path struct {
	InstanceId string //nolint:revive,staticcheck // as the SDK spells it
	TaskId     string //nolint:revive,staticcheck // as the SDK spells it
}

// get asks for what is at a path, and decodes the JSON object there into v.
func get(ctx context.Context, c *huawei.Caller, permission, url string, p *path, v any) (time.Time, error) {
	b := def.NewHttpRequestDefBuilder().WithMethod(http.MethodGet).WithPath(url).WithContentType("application/json").
		WithResponse(new(answer)).WithResponseField(def.NewFieldDef().WithName("Body").WithLocationType(def.Body)).
		WithRequestField(def.NewFieldDef().WithName("InstanceId").WithJsonTag("instance_id").WithLocationType(def.Path))
	if p.TaskId != "" {
		b.WithRequestField(def.NewFieldDef().WithName("TaskId").WithJsonTag("task_id").WithLocationType(def.Path))
	}
	reply, err := huawei.Query(ctx, c, permission, func(c *core.HcHttpClient) (*answer, error) {
		resp, err := c.SyncInvoke(p, b.Build(), &exchange.SdkExchange{ApiReference: &exchange.ApiReference{}})
		a, _ := resp.(*answer) // what the definition says
		return a, err
	})
	if err != nil {
		return time.Time{}, err
	}
	if err := json.Unmarshal([]byte(value(reply.Value.Body)), v); err != nil {
		return time.Time{}, &taskwait.QueryError{
			Err: fmt.Errorf("the answer (status %d) does not decode", reply.Value.HttpStatusCode),
		}
	}
	return reply.At, nil
}
