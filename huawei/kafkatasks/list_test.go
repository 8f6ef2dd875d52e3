package kafkatasks_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
	"github.com/taskwait/taskwait/huawei/kafkatasks"
)

// TestList compares the tasks since a time with what began then, by our clock, whatever the service's says.
func TestList(t *testing.T) {
	for _, tt := range []struct {
		name string
		skew time.Duration
		ago  time.Duration // 0: all
		want []string
	}{
		{"all, the latest first", 0, 0, []string{"c", "b", "a"}},
		{"since", 0, 5 * time.Minute, []string{"c", "b"}},
		{"of this moment", 0, time.Nanosecond, []string{"c"}},
		{"a service whose clock is ten minutes ahead", 10 * time.Minute, 5 * time.Minute, []string{"c", "b"}},
		{"a service whose clock is ten minutes behind", -10 * time.Minute, 5 * time.Minute, []string{"c", "b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := fakekafka.New(fakecloud.WithClockSkew(tt.skew))
				for id, age := range map[string]time.Duration{"a": time.Hour, "b": 4 * time.Minute, "c": 0} {
					cloud.AddTask("i-1", fakekafka.Script{ID: id, CreatedAt: time.Now().Add(-age)})
				}
				since := time.Time{}
				if tt.ago > 0 {
					since = time.Now().Add(-tt.ago)
				}
				tasks, err := kafkatasks.New(newClient(t, cloud), "i-1").ListSince(t.Context(), since)
				var got []string
				for _, task := range tasks {
					got = append(got, task.ID)
				}
				if err != nil || !slices.Equal(got, tt.want) {
					t.Errorf("got %q, error %v, want %q", got, err, tt.want)
				}
			})
		})
	}
}
