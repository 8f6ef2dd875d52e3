package main

import (
	"log"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/taskwait/taskwait/fakecloud"
	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

// TestOutput runs the program against the embedded cloud, for a task that has ended, and compares what it prints with
// testdata/output.txt. README.md shows that line.
func TestOutput(t *testing.T) {
	cloud := fakekafka.New()
	server, err := cloud.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for name, value := range map[string]string{
		"HUAWEICLOUD_SDK_AK": fakecloud.DefaultAccessKey, "HUAWEICLOUD_SDK_SK": fakecloud.DefaultSecretKey,
		"HUAWEICLOUD_SDK_PROJECT_ID": fakecloud.DefaultProject,
		"TASKWAIT_ENDPOINT":          server.URL, "TASKWAIT_INSTANCE": "kafka-1",
	} {
		t.Setenv(name, value)
	}
	id := cloud.AddTask("kafka-1", fakekafka.Script{
		Name: "bindInstancePublicIp", CreatedAt: time.Now().Add(-time.Hour),
	})
	var out strings.Builder
	args, flags := os.Args, log.Flags()
	os.Args = []string{"one", id}
	log.SetFlags(0)
	log.SetOutput(&out)
	defer func() { os.Args = args; log.SetFlags(flags); log.SetOutput(os.Stderr) }()
	main()
	want, err := os.ReadFile("testdata/output.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != string(want) {
		t.Errorf("prints %q, want %q", got, want)
	}
}
