package kafkatasks

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/def"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/exchange"
	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei"
	"github.com/taskwait/taskwait/internal/cursor"
	"github.com/taskwait/taskwait/internal/ids"
	"github.com/taskwait/taskwait/internal/lenient"
	"github.com/taskwait/taskwait/internal/text"
)

// answer is an answer's body as it came. The SDK's own types are strict where the service is not: one number instead
// of a string, and the whole answer is lost.
type answer struct {
	Body           *string
	HttpStatusCode int //nolint:revive,staticcheck // the SDK sets the field of this name
}

// resource is what a request asks for: the ids in its path, and its query, without what is nil.
type resource struct {
	InstanceId string  `json:"instance_id"` //nolint:revive,staticcheck // as the SDK spells it
	TaskId     string  `json:"task_id"`     //nolint:revive,staticcheck // as the SDK spells it
	Limit      *string `json:"limit,omitempty"`
	Offset     *string `json:"offset,omitempty"`
	Start      *string `json:"start,omitempty"`
	BeginTime  *string `json:"begin_time,omitempty"`
	Engine     *string `json:"engine,omitempty"`
	Name       *string `json:"name,omitempty"`
	Exact      *string `json:"exact_match_name,omitempty"`
}

// fields are those of a resource, by their names in the request.
var fields = []*def.FieldDef{
	field("InstanceId", "instance_id", def.Path), field("TaskId", "task_id", def.Path),
	field("Limit", "limit", def.Query), field("Offset", "offset", def.Query), field("Start", "start", def.Query),
	field("BeginTime", "begin_time", def.Query), field("Engine", "engine", def.Query), field("Name", "name", def.Query),
	field("Exact", "exact_match_name", def.Query),
}

func field(name, tag string, where def.LocationType) *def.FieldDef {
	return def.NewFieldDef().WithName(name).WithJsonTag(tag).WithLocationType(where)
}

// get requests a resource, and decodes the JSON object there into v. What follows the object is ignored.
func get(
	ctx context.Context, c *huawei.Caller, permission, path string, r *resource, v any,
) (huawei.Reply[*answer], error) {
	b := def.NewHttpRequestDefBuilder().WithMethod(http.MethodGet).WithPath(path).WithContentType("application/json").
		WithResponse(new(answer)).WithResponseField(field("Body", "", def.Body))
	for _, f := range fields {
		b.WithRequestField(f)
	}
	reply, err := huawei.Query(ctx, c, permission, func(c *core.HcHttpClient) (*answer, error) {
		resp, err := c.SyncInvoke(r, b.Build(), &exchange.SdkExchange{ApiReference: &exchange.ApiReference{}})
		a, _ := resp.(*answer) // what the definition says
		return a, err
	})
	if err != nil {
		return reply, err
	}
	body := strings.TrimPrefix(value(reply.Value.Body), "\ufeff")
	if strings.TrimSpace(body) == "" {
		return reply, nil
	}
	if refused := reply.Refused(); refused != nil {
		return reply, refused
	}
	if err := json.NewDecoder(strings.NewReader(body)).Decode(v); err != nil {
		return reply, reply.Undecoded()
	}
	return reply, nil
}

// checkID returns an error that Is taskwait.ErrInvalidID if an id cannot stand in the path of a request.
func checkID(what, id string) error {
	if wrong := ids.Check(id); wrong != "" {
		return fmt.Errorf("kafkatasks: %w: %s %s %s", taskwait.ErrInvalidID, what, text.Quote(id), wrong)
	}
	return nil
}

// row is a task as the service describes it, whatever JSON types it uses. nil: missing, or null.
type row struct {
	ID         *loose `json:"id"`
	Name       *loose `json:"name"`
	UserName   *loose `json:"user_name"`
	UserID     *loose `json:"user_id"`
	Params     *loose `json:"params"`
	Status     *loose `json:"status"`
	CreatedAt  *loose `json:"created_at"`
	UpdatedAt  *loose `json:"updated_at"`
	ScheduleAt *loose `json:"schedule_at"`
}

// task is the row in a waiter's terms, as of a time by the service's clock.
func (r *row) task(asOf time.Time, raw any) taskwait.Task {
	return taskwait.Task{
		ID: r.ID.trimmed(), Kind: r.Name.trimmed(), Status: taskwait.Status(r.Status.trimmed()),
		CreatedAt: r.CreatedAt.time(asOf), UpdatedAt: r.UpdatedAt.time(asOf),
		AsOf: asOf, Raw: raw,
	}
}

// decodeRow reads a row. One that is not an object has nothing in it.
func decodeRow(text json.RawMessage) (r row) {
	if json.Unmarshal(text, &r) != nil {
		return row{}
	}
	return r
}

// loose is a JSON string, or the text of anything else.
type loose string

// UnmarshalJSON never fails.
func (l *loose) UnmarshalJSON(text []byte) error {
	if plain(text) { // most are, and need no decoder
		*l = loose(text[1 : len(text)-1])
		return nil
	}
	var s string
	if json.Unmarshal(text, &s) != nil {
		s = string(text)
	}
	*l = loose(s)
	return nil
}

// plain reports whether a JSON value is a string without escapes.
func plain(text []byte) bool {
	if len(text) < 2 || text[0] != '"' {
		return false
	}
	for _, c := range text[1 : len(text)-1] {
		if c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (l *loose) trimmed() string {
	if l == nil {
		return ""
	}
	return strings.TrimSpace(string(*l))
}

func (l *loose) number() (float64, bool) { return lenient.Number(l.trimmed()) }

// count is a number of rows; cursor.Unknown if it is none.
func (l *loose) count() int {
	n, ok := l.number()
	if !ok || n < 0 || n > math.MaxInt32 {
		return cursor.Unknown
	}
	return int(n)
}

// time reads a time. One that cannot be read, or cannot be true at the time now (zero: ours), is unknown, not an error.
func (l *loose) time(now time.Time) time.Time { return lenient.Time(l.trimmed(), now) }

// pointer is the text as the SDK's types hold it.
func (l *loose) pointer() *string { return (*string)(l) }

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
