package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// TestLife plays the whole life, and lives that go wrong: what was created is deleted, whatever happens, and nothing else is.
func TestLife(t *testing.T) {
	for _, tt := range []struct {
		name    string
		wrong   func(*fakekafka.Cloud)
		cancel  time.Duration // 0: never
		want    error
		says    string
		left    int
		deleted int
	}{
		{name: "well", says: "6. delete\n", deleted: 1},
		{name: "the resize fails", wrong: func(c *fakekafka.Cloud) { c.OnResize(fakekafka.Script{Outcome: "FAILED"}) }, want: taskwait.ErrTaskFailed, says: "3. delete\n", deleted: 1},
		{name: "the creation fails", wrong: func(c *fakekafka.Cloud) { c.OnCreate(fakekafka.Change{Duration: time.Second, Outcome: "CREATEFAILED"}) }, want: taskwait.ErrTaskFailed, says: "2. delete\n", deleted: 1},
		{name: "interrupted", cancel: 4123 * time.Millisecond, want: context.Canceled, says: "=> it may still run", deleted: 1},
		{name: "interrupted while it is created", cancel: 1123 * time.Millisecond, want: context.Canceled, says: "2. delete\n", deleted: 1},
		{
			name: "the deletion is refused", wrong: func(c *fakekafka.Cloud) {
				c.Inject(fakekafka.RouteDeleteInstance, fakecloud.Error(403, "DMS.00403002", "No permission."))
			}, want: taskwait.ErrNotStarted, says: "is still there, or may be: delete it yourself", left: 1,
		},
		{
			name: "nobody knows whether it was created", wrong: func(c *fakekafka.Cloud) { c.Inject(fakekafka.RouteCreateInstance, fakecloud.DropAnswer()) },
			want: taskwait.ErrOutcomeUnknown, says: "do not send it again unseen, perhaps as", left: 1,
		},
		{
			name: "refused", wrong: func(c *fakekafka.Cloud) {
				c.Inject(fakekafka.RouteCreateInstance, fakecloud.Error(400, "DMS.00400971", "Quota exceeded."))
			}, want: taskwait.ErrNotStarted, says: "Quota exceeded",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stage, err := newStage()
				if err != nil {
					t.Fatal(err)
				}
				stage.cloud.AddInstance("somebody else's")
				if tt.wrong != nil {
					tt.wrong(stage.cloud)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.cancel > 0 {
					time.AfterFunc(tt.cancel, cancel)
				}
				var out strings.Builder
				err = (&life{client: stage.client, plan: stage.plan(), out: &out, before: stage.before}).run(ctx)
				if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) || !strings.Contains(out.String(), tt.says) {
					t.Errorf("%v, want %v and %q\n%s", err, tt.want, tt.says, out.String())
				}
				left, deleted := 0, 0
				for _, o := range stage.cloud.Operations() {
					if _, there := stage.cloud.Instance(o.InstanceID); there && o.Route == fakekafka.RouteCreateInstance {
						left++
					}
					if o.Route == fakekafka.RouteDeleteInstance {
						deleted++
					}
				}
				if _, there := stage.cloud.Instance("somebody else's"); !there || left != tt.left || deleted != tt.deleted {
					t.Errorf("%d left, %d deleted, somebody else's is there: %v; want %d, %d, true\n%s", left, deleted, there, tt.left, tt.deleted, out.String())
				}
			})
		})
	}
}

func TestFlags(t *testing.T) {
	good := "-real -accept-cost -region eu-west-101 -zone z -vpc v -subnet s -security-group g"
	for _, tt := range []struct{ args, ak, want string }{
		{"-help", "", "accept-cost"},
		{"now", "", `unexpected "now"`},
		{"-real", "", "say -accept-cost too: nothing was done"},
		{"-accept-cost", "", "only with -real"},
		{"-real -accept-cost", "", "give -region or -endpoint"},
		{"-real -accept-cost -region eu-west-101", "", "missing: -zone, -vpc, -subnet, -security-group"},
		{good + " -endpoint https://kafka.fake", "", "one of them"},
		{good, "", "no keys: set HUAWEICLOUD_SDK_AK"},
		{strings.Replace(good, "eu-west-101", "atlantis", 1), "ak", "-region atlantis"},
	} {
		t.Setenv("HUAWEICLOUD_SDK_AK", tt.ak)
		t.Setenv("HUAWEICLOUD_SDK_SK", "s3cret")
		t.Setenv("HUAWEICLOUD_SDK_PROJECT_ID", "project")
		var out strings.Builder
		if err := run(t.Context(), strings.Fields(tt.args), &out); err != nil {
			out.WriteString(err.Error())
		}
		if !strings.Contains(out.String(), tt.want) || strings.Contains(out.String(), "s3cret") {
			t.Errorf("%s: said %s\nwant %s", tt.args, out.String(), tt.want)
		}
	}
}
