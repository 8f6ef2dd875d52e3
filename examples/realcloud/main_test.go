package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// TestRun runs the program against the embedded cloud.
func TestRun(t *testing.T) {
	cloud := fakekafka.New()
	id := cloud.AddTask("kafka-1", fakekafka.Script{Name: "resize", Duration: time.Nanosecond})
	bad := cloud.AddTask("kafka-1", fakekafka.Script{
		Name: "resize", Duration: time.Nanosecond, Outcome: taskwait.StatusFailed,
	})
	server, err := cloud.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	keys := map[string]string{"CLOUD_SDK_AK": fakecloud.DefaultAccessKey, "CLOUD_SDK_SK": fakecloud.DefaultSecretKey}
	good := []string{"-endpoint", server.URL, "-project", fakecloud.DefaultProject, "-instance", "kafka-1"}
	with := func(more ...string) []string { return append(append([]string{}, good...), more...) }
	elsewhere := func(flag, where string) []string {
		return []string{flag, where, "-project", "p", "-instance", "i", "-task", "t"}
	}
	tests := []struct {
		name string
		args []string
		env  map[string]string
		want string // in the output, or in the error
	}{
		{"done", with("-task", id), keys, "done: task \"" + id + "\": SUCCESS (resize)"},
		{"failed", with("-task", bad), keys, "task failed"},
		{"nothing", nil, keys, "missing: -region or -endpoint, -project, -instance, -task"},
		{"a word too many", with("-task", id, "now"), keys, `unexpected "now"`},
		{"a flag there is not", with("-tsk", id), keys, "flag provided but not defined: -tsk"},
		{"help", []string{"-help"}, keys, "the id of the background task"},
		{"a malformed endpoint", elsewhere("-endpoint", "https://::bad"), keys, "could not query"},
		{"a token of other keys", with("-task", id), map[string]string{
			"CLOUD_SDK_AK": fakecloud.DefaultAccessKey, "CLOUD_SDK_SK": fakecloud.DefaultSecretKey,
			"HUAWEICLOUD_SDK_SECURITY_TOKEN": "stale",
		}, "done:"},
		{"both", with("-task", id, "-region", "eu-west-101"), keys, "not both"},
		{"no such region", elsewhere("-region", "atlantis"), keys, "-region atlantis: region id 'atlantis' is not in"},
		{"bad instance id", append(good[:4:4], "-instance", "a/b", "-task", "t"), keys, `instance id "a/b" holds '/'`},
		{"bad task id", with("-task", "a b"), keys, `task id "a b" holds ' '`},
		{"no keys", with("-task", id), nil, "no keys: set CLOUD_SDK_AK and CLOUD_SDK_SK"},
		{"half a pair", with("-task", id), map[string]string{"HUAWEICLOUD_SDK_AK": "ak"},
			"HUAWEICLOUD_SDK_AK is set, but HUAWEICLOUD_SDK_SK is not"},
		{"wrong keys", with("-task", id), map[string]string{"CLOUD_SDK_AK": "wrong", "CLOUD_SDK_SK": "s3cret"},
			"401 Unauthorized"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			err := run(context.Background(), tt.args, func(k string) string { return tt.env[k] }, &out)
			if err != nil {
				out.WriteString(err.Error())
			}
			if !strings.Contains(out.String(), tt.want) {
				t.Errorf("said %s\nwant %s", out.String(), tt.want)
			}
			if strings.Contains(out.String(), "s3cret") {
				t.Errorf("the secret key is in %s", out.String())
			}
		})
	}
}
