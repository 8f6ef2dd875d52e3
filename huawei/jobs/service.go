package jobs

import (
	"regexp"
	"slices"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/taskwait/taskwait/httptasks"
)

// Service is a row of the table of services: its jobs or resources as data, and where each fact was read.
type Service struct {
	Name  string // of the command, as "dcs-tasks" in `taskwait dcs-tasks wait`
	Func  string // of the function of this package, as "DCSTasks"
	Waits string // what is waited for: "jobs of Distributed Cache Service"

	// Host is how the name of the service's host begins, as in https://ecs.cn-north-4.myhuaweicloud.com. The SDK's own
	// lists of regions know the exceptions.
	Host   string
	Global bool // there is one host for all regions, and the credential is a global one

	// Resource says that the id is that of a resource, such as an instance, and not of a job. SUCCESS means that it
	// can be used, and [httptasks.Source.UntilDeleted] waits until it is gone.
	Resource bool

	// Type is the package and the type of the SDK, v0.1.207, that the data was read from: "ecs/v2 ShowJobResponse".
	Type string

	// Page is the page of the documentation, without .html, below https://support.huaweicloud.com/intl/en-us/, if it
	// says more than the SDK. Empty: the SDK alone.
	Page string

	PassedOn []string // documented words that are in no list on purpose: they say neither that it ended nor that it runs
	Note     string   // what was decided where the words do not speak for themselves

	API httptasks.API // what is asked for, where in the answer what stands, and the words
}

// Services returns all the services of this package, by theme. The caller may change the slice and its content.
func Services() []Service {
	return slices.Concat(compute(), storage(), network(), databases(), messages(), containers(), analytics(),
		management())
}

// Source returns the Source of the service for a client of its host. values are those of [Service.Needs], in that
// order. [httptasks.Source.Validate] reports one that is missing or invalid.
func (s Service) Source(client *core.HcHttpClient, values ...string) *httptasks.Source {
	api := s.API
	api.Name = s.Name
	for i, name := range s.Needs() {
		value := ""
		if i < len(values) {
			value = values[i]
		}
		api = api.With(name, value)
	}
	return New(client, api)
}

// Needs returns the placeholders that the caller must fill beside the id, such as "instance_id". Few services have one.
func (s Service) Needs() (names []string) {
	for _, m := range placeholders.FindAllStringSubmatch(s.API.URL, -1) {
		if m[1] != "id" && m[1] != "project_id" {
			names = append(names, m[1])
		}
	}
	return names
}

// placeholders are those of a URL.
var placeholders = regexp.MustCompile(`\{(\w+)\}`)
