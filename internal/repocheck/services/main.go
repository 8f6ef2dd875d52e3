// Command services writes the page of the services that package huawei/jobs knows, from its table:
//
//	go run ./internal/repocheck/services > docs/services.md
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/taskwait/taskwait/huawei/jobs"
)

func main() {
	if _, err := os.Stdout.WriteString(page(jobs.Services())); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const intro = `# The services of Huawei Cloud

For people who wait for a job of a service, or for an instance to run or to be gone.

Each service is a function of package 'huawei/jobs', which takes the 'HcClient' of a client of the SDK, such as
'rds.NewRdsClient' returns. For RDS, where 'hc, err := rds.RdsClientBuilder().WithEndpoint(…).SafeBuild()' has
given 'client := rds.NewRdsClient(hc)':

<!-- from: huawei/jobs/example_test.go -->
'''go
	waiter, err := taskwait.New(jobs.RDS(client.HcClient), taskwait.WithTimeout(30*time.Minute))
	if err != nil {
		log.Fatal(err)
	}
	task, err := waiter.WaitForTask(context.Background(), jobID)
'''

Each is also a command: 'taskwait rds wait JOB_ID'. [cli.md](cli.md#the-services-of-huawei-cloud) has its flags.

Names in brackets after a function are ids that it needs beside the client: of an instance, a cluster, a group. Words
are compared without regard to case. A word that is in no list is neither success nor failure, and the wait goes on.
DMS for Kafka has a package of its own, 'huawei/kafkatasks'.

This page is made from the table of 'huawei/jobs', by 'go run ./internal/repocheck/services'. The facts were read in the
SDK, v0.1.207: in the type named under "Read in", its comments and its enums. Some services have a page of documentation
too, named there, below 'https://support.huaweicloud.com/intl/en-us/', read 2026-11-28.
`

// parts are the tables: of jobs, and of things.
var parts = []struct {
	title    string
	resource bool
	text     string
}{
	{"Jobs and tasks", false, `**Also**: *list*, many waits share one list; *details*, the progress of a task is
reported; *cancel*, a job can be cancelled.`},
	{"Instances, clusters and other resources", true, `The id is that of the resource. SUCCESS means that it can be
used. 'UntilDeleted' of the Source waits until it is gone, whatever its status until then.`},
}

// page is the whole page.
func page(all []jobs.Service) string {
	var b strings.Builder
	b.WriteString(quoted(intro))
	for _, part := range parts {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n%s\n", part.title, quoted(part.text), head)
		for _, s := range all {
			if s.Resource == part.resource {
				b.WriteString(row(s))
			}
		}
	}
	b.WriteString("\n## What the words do not say by themselves\n\n")
	for _, s := range all {
		if text := remark(s); text != "" {
			fmt.Fprintf(&b, "- **%s**: %s\n", s.Func, text)
		}
	}
	return b.String()
}

const head = "| Function | Command | Waits for | CREATED | EXECUTING | SUCCESS | FAILED | Others | Also | Read in |\n" +
	"|---|---|---|---|---|---|---|---|---|---|"

// quoted is a text with backquotes, which cannot stand in a raw string.
func quoted(s string) string { return strings.ReplaceAll(s, "'", "`") }

// row is a service in the table.
func row(s jobs.Service) string {
	function := "`" + s.Func + "`"
	if needs := s.Needs(); len(needs) > 0 {
		function += " (" + strings.Join(needs, ", ") + ")"
	}
	others := named("CANCELLED", s.API.Cancelled) + named("DELETED", s.API.Deleted)
	source := s.Type
	if s.Page != "" {
		source += "; " + s.Page
	}
	cells := []string{
		function, "`" + s.Name + "`", s.Waits, list(s.API.Created), list(s.API.Executing), list(s.API.Success),
		list(s.API.Failed), strings.TrimSpace(others), also(s), source,
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

func list(words []string) string { return strings.Join(words, ", ") }

func named(status string, words []string) string {
	if len(words) == 0 {
		return ""
	}
	return " " + status + ": " + list(words)
}

// also is what else the service offers.
func also(s jobs.Service) string {
	var all []string
	if s.API.List != nil {
		all = append(all, "list")
	}
	if s.API.Details != nil {
		all = append(all, "details")
	}
	if s.API.Cancel != nil {
		all = append(all, "cancel")
	}
	return list(all)
}

// remark is what was decided of a service's words.
func remark(s jobs.Service) string {
	text := s.Note
	if len(s.PassedOn) > 0 {
		text += " In no list: " + list(s.PassedOn) + "."
	}
	return strings.TrimSpace(text)
}
