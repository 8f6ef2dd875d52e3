package jobs

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/taskwait/taskwait"
)

// object is one of JSON.
type object map[string]any

// view is what an answer tells of a job.
type view struct {
	id, word, name, instance, params, code, reason string

	created, ended string // ended: "" while it runs
	changed        string // the last change of its status
	percent        int
	running        bool
	jobs           []*view
}

// view is what the job looks like now, on the cloud's clock.
func (j *job) view(now time.Time, skew time.Duration) *view {
	at := j.step(now)
	clock := func(t time.Time) string { return t.Add(skew).UTC().Format(j.form.layout) }
	v := &view{
		id: j.ID, word: j.form.word(at.Status), name: j.Name, instance: j.Instance, params: j.Params,
		created: clock(j.CreatedAt), changed: clock(j.CreatedAt.Add(max(at.After, 0))), percent: j.percent(now),
		running: !at.Status.Terminal() && at.After < j.Steps[len(j.Steps)-1].After,
	}
	if !v.running {
		v.ended = v.changed
	}
	if !v.running && at.Status != taskwait.StatusSuccess {
		v.code, v.reason = j.Code, j.Reason
	}
	for _, sub := range j.jobs {
		v.jobs = append(v.jobs, sub.view(now, skew))
	}
	return v
}

// answer is one job, or a page of a list. Faults change what it tells.
type answer struct {
	form  *form
	views []*view
	paged bool
	all   int    // jobs that the list has
	next  string // the marker of the next page; "": this is the last one
}

// page is an answer with its rows written.
type page struct {
	rows []any
	all  int
	next string
}

// isList reports whether the answer has rows.
func (a *answer) isList() bool { return a.paged || a.form.one == nil }

// MarshalJSON writes it in its shape.
func (a *answer) MarshalJSON() ([]byte, error) {
	p := &page{rows: []any{}, all: a.all, next: a.next}
	for _, v := range a.views {
		p.rows = append(p.rows, a.form.write(v))
	}
	switch {
	case a.isList():
		return json.Marshal(a.form.list(p))
	case len(p.rows) == 0:
		return []byte("{}"), nil
	}
	return json.Marshal(a.form.one(p.rows[0]))
}

// subs writes the sub-jobs.
func (v *view) subs(write func(*view) any) []any {
	all := []any{}
	for _, sub := range v.jobs {
		all = append(all, write(sub))
	}
	return all
}

// orNull is text, or null where there is none.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// v1 is ECS' ShowJobResponse. The end is empty until there is one, as real answers have it.
func (v *view) v1() any {
	row := object{
		"status": v.word, "job_id": v.id, "job_type": v.name, "begin_time": v.created, "end_time": v.ended,
		"error_code": orNull(v.code), "fail_reason": orNull(v.reason), "entities": object{},
	}
	if len(v.jobs) > 0 {
		row["entities"] = object{"sub_jobs_total": len(v.jobs), "sub_jobs": v.subs((*view).v1)}
	}
	return row
}

// database is RDS' GetJobInfoResponseBodyJob. The progress is empty unless the job runs.
func (v *view) database() any {
	row := object{
		"id": v.id, "name": v.name, "status": v.word, "created": v.created, "process": "",
		"instance": object{"id": v.instance, "name": v.instance}, "entities": object{},
	}
	if v.running {
		row["process"] = strconv.Itoa(v.percent) + "%"
		return row
	}
	row["ended"] = v.ended
	if v.reason != "" {
		row["fail_reason"] = v.reason
	}
	return row
}

// databasePage is RDS' ListTasksResponse, whose rows have other names for the times, and a percentage without a sign.
func databasePage(p *page) any {
	for _, r := range p.rows {
		row, ok := r.(object)
		if !ok {
			continue
		}
		row["create_time"], row["end_time"] = row["created"], row["ended"]
		if process, ok := row["process"].(string); ok && process != "" {
			row["process"] = process[:len(process)-1]
		}
		if instance, ok := row["instance"].(object); ok {
			row["instance_id"], row["instance_name"] = instance["id"], instance["name"]
		}
		for _, name := range []string{"created", "ended", "instance", "entities"} {
			delete(row, name)
		}
	}
	return object{"total_count": p.all, "actions": []string{}, "tasks": p.rows}
}

// cce is CCE's ShowJobResponse.
func (v *view) cce() any {
	return object{
		"kind": "Job", "apiVersion": "v3",
		"metadata": object{"uid": v.id, "creationTimestamp": v.created, "updateTimestamp": v.changed},
		"spec": object{
			"type": v.name, "clusterUID": v.instance, "resourceID": v.instance, "subJobs": v.subs((*view).cce),
		},
		"status": object{"phase": v.word, "reason": v.reason},
	}
}

// elb is ELB's MainJob, and its SubJob too.
func (v *view) elb() any {
	return object{
		"status": v.word, "job_id": v.id, "job_type": v.name, "begin_time": v.created, "end_time": v.ended,
		"error_code": v.code, "error_msg": v.reason, "resource_id": v.instance, "sub_jobs": v.subs((*view).elb),
	}
}

func elbPage(p *page) any {
	info := object{"previous_marker": "", "current_count": len(p.rows)}
	if p.next != "" {
		info["next_marker"] = p.next
	}
	return object{"jobs": p.rows, "page_info": info}
}

// dms is the ListBackgroundTasksRespTasks of Kafka, RabbitMQ and RocketMQ. It has no place for a failure.
func (v *view) dms() any {
	return object{
		"id": v.id, "name": v.name, "user_name": "fake_user", "user_id": "3df5acbc24a54fadb62a043c9000a307",
		"params": v.params, "status": v.word, "created_at": v.created, "updated_at": v.changed,
	}
}

func dmsPage(p *page) any {
	return object{"task_count": strconv.Itoa(p.all), "tasks": p.rows} // a string: so the service has it
}

// resource is the ShowInstanceResponse of DCS, and what DMS has in common with it.
func (v *view) resource() any {
	return object{
		"instance_id": v.id, "name": v.name, "status": v.word, "created_at": v.created, "error_code": v.code,
	}
}

// itself is an answer that is the row.
func itself(row any) any { return row }

// as is an answer that has the row under this name.
func as(name string) func(any) any { return func(row any) any { return object{name: row} } }
