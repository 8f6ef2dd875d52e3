package cli

import (
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/region"
	apig "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/apig/v2/region"
	as "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/as/v1/region"
	bms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bms/v1/region"
	cbr "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cbr/v1/region"
	cce "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3/region"
	css "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/css/v1/region"
	dcs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dcs/v2/region"
	ddm "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ddm/v1/region"
	dds "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dds/v3/region"
	dws "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dws/v2/region"
	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/region"
	eip2 "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/eip/v2/region"
	eip3 "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/eip/v3/region"
	elb "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/elb/v3/region"
	evs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/evs/v2/region"
	gaussdb "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/gaussdb/v3/region"
	nosql "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/gaussdbfornosql/v3/region"
	opengauss "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/gaussdbforopengauss/v3/region"
	ims "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ims/v2/region"
	mrs1 "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/mrs/v1/region"
	mrs2 "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/mrs/v2/region"
	nat "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/nat/v2/region"
	organizations "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/organizations/v1/region"
	rabbitmq "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/rabbitmq/v2/region"
	rds "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/rds/v3/region"
	rfs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/rfs/v1/region"
	rocketmq "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/rocketmq/v2/region"
	sdrs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/sdrs/v1/region"
	sfsturbo "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/sfsturbo/v1/region"
	vpcep "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpcep/v1/region"
)

// regionsOf are the SDK's lists of regions and endpoints, by the package of a service. Each is a small package, which
// imports nothing of the service.
var regionsOf = map[string]func(id string) (*region.Region, error){
	"apig/v2":                apig.SafeValueOf,
	"as/v1":                  as.SafeValueOf,
	"bms/v1":                 bms.SafeValueOf,
	"cbr/v1":                 cbr.SafeValueOf,
	"cce/v3":                 cce.SafeValueOf,
	"css/v1":                 css.SafeValueOf,
	"dcs/v2":                 dcs.SafeValueOf,
	"ddm/v1":                 ddm.SafeValueOf,
	"dds/v3":                 dds.SafeValueOf,
	"dws/v2":                 dws.SafeValueOf,
	"ecs/v2":                 ecs.SafeValueOf,
	"eip/v2":                 eip2.SafeValueOf,
	"eip/v3":                 eip3.SafeValueOf,
	"elb/v3":                 elb.SafeValueOf,
	"evs/v2":                 evs.SafeValueOf,
	"gaussdb/v3":             gaussdb.SafeValueOf,
	"gaussdbfornosql/v3":     nosql.SafeValueOf,
	"gaussdbforopengauss/v3": opengauss.SafeValueOf,
	"ims/v2":                 ims.SafeValueOf,
	"mrs/v1":                 mrs1.SafeValueOf,
	"mrs/v2":                 mrs2.SafeValueOf,
	"nat/v2":                 nat.SafeValueOf,
	"organizations/v1":       organizations.SafeValueOf,
	"rabbitmq/v2":            rabbitmq.SafeValueOf,
	"rds/v3":                 rds.SafeValueOf,
	"rfs/v1":                 rfs.SafeValueOf,
	"rocketmq/v2":            rocketmq.SafeValueOf,
	"sdrs/v1":                sdrs.SafeValueOf,
	"sfsturbo/v1":            sfsturbo.SafeValueOf,
	"vpcep/v1":               vpcep.SafeValueOf,
}
