package kafkatest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2/model"
	"github.com/taskwait/taskwait/fakecloud"
	"github.com/taskwait/taskwait/fakecloud/kafka/kafkatest"
)

// TestGrow runs the Example's test.
func TestGrow(t *testing.T) { growTest(t) }

// TestStart: the client has the cloud's keys, whatever they are.
func TestStart(t *testing.T) {
	for _, opts := range [][]fakecloud.Option{
		nil,
		{fakecloud.WithCredentials("ak", "sk"), fakecloud.WithProject("p"), fakecloud.WithSecurityToken("t")},
	} {
		cloud, client := kafkatest.Start(t, opts...)
		cloud.AddInstance("kafka-1")
		if _, err := client.ShowInstance(&model.ShowInstanceRequest{InstanceId: "kafka-1"}); err != nil {
			t.Error(err)
		}
	}
}

// recorder is a test that fails, or not.
type recorder struct {
	testing.TB
	failed  bool
	cleanup []func()
	text    strings.Builder
}

func (r *recorder) Helper()                   {}
func (r *recorder) Failed() bool              { return r.failed }
func (r *recorder) Cleanup(f func())          { r.cleanup = append(r.cleanup, f) }
func (r *recorder) Logf(f string, all ...any) { fmt.Fprintf(&r.text, f+"\n", all...) }

// TestLog is printed for a test that fails, and for no other.
func TestLog(t *testing.T) {
	for _, failed := range []bool{false, true} {
		r := &recorder{TB: t, failed: failed}
		cloud, client := kafkatest.Start(r)
		cloud.AddInstance("kafka-1")
		if _, err := client.ShowInstance(&model.ShowInstanceRequest{InstanceId: "kafka-1"}); err != nil {
			t.Fatal(err)
		}
		for _, f := range r.cleanup {
			f()
		}
		want := "GET /v2/" + fakecloud.DefaultProject + "/instances/kafka-1: 200 after "
		if got := r.text.String(); strings.Contains(got, want) != failed || failed && strings.Count(got, "\n") != 1 {
			t.Errorf("failed: %v: got %q, want %q: %v", failed, got, want, failed)
		}
	}
}
