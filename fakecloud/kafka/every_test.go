package kafka_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// TestEveryRouteFaults lets each fault befall each route: the client is told of it, and what changes something is
// carried out once, or not at all.
func TestEveryRouteFaults(t *testing.T) {
	faults := []struct {
		name    string
		fault   fakecloud.Fault
		ok      bool // for the client
		carries bool
	}{
		{"none", fakecloud.Serve(), true, true},
		{"slow", fakecloud.Slow(time.Minute), true, true},
		{"skewed", fakecloud.ClockSkew(time.Minute), true, true},
		{"lost before", fakecloud.Drop(), false, false},
		{"lost after", fakecloud.DropAnswer(), false, true},
		{"cut", fakecloud.Truncate(), false, true},
		{"silent", fakecloud.Stall(), false, true},
		{"hanging", fakecloud.Hang(), false, false},
		{"throttled", fakecloud.Throttle(0), false, false},
		{"throttled as 404", fakekafka.ThrottleAs404(), false, false},
		{"page", fakecloud.HTML(502), false, false},
		{"down", fakecloud.Unavailable(), false, false},
	}
	for _, f := range faults {
		for n, r := range everyRoute {
			t.Run(f.name+"/"+string(r.name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cloud := fakekafka.New()
					cloud.AddTask(instanceID, fakekafka.Script{ID: "t1"})
					cloud.AddScheduled(instanceID, fakekafka.Scheduled{ID: "s1", At: time.Now().Add(24 * time.Hour)})
					cloud.AddScheduled(instanceID, fakekafka.Scheduled{ID: "s2", Status: "CANCELLED"})
					time.Sleep(time.Minute) // t1 has ended
					cloud.Inject(r.name, f.fault)
					start := time.Now()
					err := r.ask(newClient(t, owner, cloud.Transport()), instanceID)
					if (err == nil) != f.ok {
						t.Errorf("route %d: error = %v, want one: %v", n, err, !f.ok)
					}
					var got []fakecloud.Route
					for _, o := range cloud.Operations() {
						got = append(got, o.Route)
						if o.Time.Before(start) || o.Time.After(time.Now()) {
							t.Errorf("%+v is not of this time", o)
						}
					}
					var want []fakecloud.Route
					if r.mutating && f.carries {
						want = append(want, r.name)
					}
					if !slices.Equal(got, want) {
						t.Errorf("carried out: %q, want %q", got, want)
					}
				})
			})
		}
	}
}

// TestEveryRoute asks by the right name, and from another project.
func TestEveryRoute(t *testing.T) {
	cloud := fakekafka.New()
	cloud.AddInstance(instanceID)
	client := newClient(t, owner, cloud.Transport())
	for n, r := range everyRoute {
		_ = r.ask(client, instanceID) // some are refused
		if got := cloud.Requests()[n].Route; got != r.name {
			t.Errorf("%s was asked by another name: %s", r.name, got)
		}
	}
	elsewhere := owner
	elsewhere.project = "other"
	stranger := newClient(t, elsewhere, cloud.Transport())
	for _, r := range everyRoute {
		if r.name == fakekafka.RouteListZones {
			continue // which are everybody's
		}
		wantRefusal(t, r.ask(stranger, instanceID), 401, "DMS.10240104")
	}
}

// TestEveryRouteIsAsked: a route without a line in the table of tests would be one that nothing tests.
func TestEveryRouteIsAsked(t *testing.T) {
	for _, route := range fakekafka.New().Routes() {
		switch route {
		case fakecloud.AnyRoute, fakecloud.RouteUnknown, fakecloud.RouteListProjects, fakecloud.RouteListDomains:
		default:
			if !slices.ContainsFunc(everyRoute, func(r routeTest) bool { return r.name == route }) {
				t.Errorf("%s is not asked for", route)
			}
		}
	}
}

// TestEveryAnswer decodes each answer strictly, into the SDK's type, and looks for the fields that clients read: all
// fields of the SDK's types may be missing, so that its own decoding proves nothing.
func TestEveryAnswer(t *testing.T) {
	for _, r := range everyRoute {
		t.Run(string(r.name), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New()
				stages := []fakekafka.Stage{{Name: "pre_check", Duration: time.Second}}
				cloud.AddTask(instanceID, fakekafka.Script{ID: "t1", Stages: stages, Shape: fakekafka.ShapeStrings})
				cloud.AddScheduled(instanceID, fakekafka.Scheduled{ID: "s1", At: time.Now().Add(time.Hour)})
				cloud.AddScheduled(instanceID, fakekafka.Scheduled{ID: "s2", Status: "CANCELLED"})
				time.Sleep(time.Minute)
				var body []byte
				client := newClient(t, owner, capture(cloud.Transport(), &body))
				if err := r.ask(client, instanceID); err != nil {
					t.Fatal(err)
				}
				checkAnswer(t, body, r.fields, r.blank())
			})
		})
	}
}

// capture keeps the body of the last answer.
func capture(rt http.RoundTripper, body *[]byte) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := rt.RoundTrip(r)
		if err == nil {
			*body, err = io.ReadAll(resp.Body)
			resp.Body = io.NopCloser(bytes.NewReader(*body))
		}
		return resp, err
	})
}

func checkAnswer(t *testing.T, body []byte, fields string, strict any) {
	t.Helper()
	if fields == "" {
		if len(body) != 0 {
			t.Errorf("body = %s, want none", body)
		}
		return
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if _, raw := strict.(*model.UpgradeInstanceResponse); !raw { // which the SDK leaves as a text
		if err := d.Decode(strict); err != nil {
			t.Errorf("decode into %T: %v", strict, err)
		}
	}
	var got any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	for _, field := range strings.Fields(fields) {
		if !has(got, strings.Split(field, ".")) {
			t.Errorf("%s is missing in %s", field, body)
		}
	}
}

// has is whether there is such a field, in each element of a list that is not empty.
func has(v any, path []string) bool {
	switch v := v.(type) {
	case map[string]any:
		if len(path) == 0 {
			return true
		}
		field, ok := v[path[0]]
		return ok && has(field, path[1:])
	case []any:
		if len(path) == 0 {
			return true
		}
		return len(v) > 0 && !slices.ContainsFunc(v, func(e any) bool { return !has(e, path) })
	}
	return len(path) == 0
}
