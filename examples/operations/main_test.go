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

// TestLife plays the whole life, and lives that go wrong. What was created is deleted, whatever happens, and nothing
// else is.
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
		{
			name: "the resize fails", wrong: func(c *fakekafka.Cloud) { c.OnResize(fakekafka.Script{Outcome: "FAILED"}) },
			want: taskwait.ErrTaskFailed, says: "3. delete\n", deleted: 1,
		},
		{
			name: "the creation fails", wrong: func(c *fakekafka.Cloud) {
				c.OnCreate(fakekafka.Change{Duration: time.Second, Outcome: "CREATEFAILED"})
			}, want: taskwait.ErrTaskFailed, says: "2. delete\n", deleted: 1,
		},
		{
			name: "interrupted", cancel: 4123 * time.Millisecond, want: context.Canceled, says: "=> it may still run",
			deleted: 1,
		},
		{
			name: "interrupted while it is created", cancel: 1123 * time.Millisecond, want: context.Canceled,
			says: "2. delete\n", deleted: 1,
		},
		{
			name: "the deletion is refused", wrong: func(c *fakekafka.Cloud) {
				c.Inject(fakekafka.RouteDeleteInstance, fakecloud.Error(403, "DMS.00403002", "No permission."))
			}, want: taskwait.ErrNotStarted, says: "is still there, or may be: delete it yourself", left: 1,
		},
		{
			name: "nobody knows whether it was created", wrong: func(c *fakekafka.Cloud) {
				c.Inject(fakekafka.RouteCreateInstance, fakecloud.DropAnswer())
			}, want: taskwait.ErrOutcomeUnknown, says: "do not send it again unseen, perhaps as", left: 1,
		},
		{
			name: "refused", wrong: func(c *fakekafka.Cloud) {
				c.Inject(fakekafka.RouteCreateInstance, fakecloud.Error(400, "DMS.00400971", "Quota exceeded."))
			}, want: taskwait.ErrNotStarted, says: "Quota exceeded",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := newCloud()
				cloud.AddInstance("somebody else's")
				if tt.wrong != nil {
					tt.wrong(cloud.Cloud)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.cancel > 0 {
					time.AfterFunc(tt.cancel, cancel)
				}
				var out strings.Builder
				err := run(ctx, cloud, &out)
				if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) || !strings.Contains(out.String(), tt.says) {
					t.Errorf("%v, want %v and %q\n%s", err, tt.want, tt.says, out.String())
				}
				left, deleted := 0, 0
				for _, o := range cloud.Operations() {
					if _, there := cloud.Instance(o.InstanceID); there && o.Route == fakekafka.RouteCreateInstance {
						left++
					}
					if o.Route == fakekafka.RouteDeleteInstance {
						deleted++
					}
				}
				if _, there := cloud.Instance("somebody else's"); !there || left != tt.left || deleted != tt.deleted {
					t.Errorf("%d left, %d deleted, somebody else's is there: %v; want %d, %d, true\n%s",
						left, deleted, there, tt.left, tt.deleted, out.String())
				}
			})
		})
	}
}
