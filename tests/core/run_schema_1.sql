BEGIN TRANSACTION;
CREATE TABLE episodes (
	id VARCHAR(120) NOT NULL, 
	number INTEGER NOT NULL, 
	split VARCHAR(40) NOT NULL, 
	task TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	score FLOAT, 
	feedback TEXT NOT NULL, 
	error TEXT, 
	metrics TEXT NOT NULL, 
	started FLOAT NOT NULL, 
	ended FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "episodes" VALUES('gate-2-v0',2,'gate','"gate 5"',0,'done',-42.0,'turn up',NULL,'{"seconds": 0.0003116509979008697, "tokens": 3, "usd": 0.0}',1.7952556747006382942e+09,1795255674.70095);
INSERT INTO "episodes" VALUES('gate-1-v0',1,'gate','"gate 2"',0,'done',-42.0,'turn up',NULL,'{"seconds": 0.00044766800056095235, "tokens": 3, "usd": 0.0}',1.79525567470050764077e+09,1.79525567470095539094e+09);
INSERT INTO "episodes" VALUES('train-2-v0',2,'train','"train 2"',0,'done',-42.0,'turn up',NULL,'{"seconds": 0.0015368120002676733, "tokens": 3, "usd": 0.0}',1.79525567470043087006e+09,1.79525567470196771623e+09);
INSERT INTO "episodes" VALUES('train-0-v0',0,'train','"train 1"',0,'done',-42.0,'turn up',NULL,'{"seconds": 0.0017426790000172332, "tokens": 3, "usd": 0.0}',1.79525567470022797585e+09,1.79525567470197057722e+09);
INSERT INTO "episodes" VALUES('gate-4-v0',4,'gate','"gate 4"',0,'done',-42.0,'turn up',NULL,'{"seconds": 0.006189985000673914, "tokens": 3, "usd": 0.0}',1.79525567470072865486e+09,1.79525567470691871643e+09);
INSERT INTO "episodes" VALUES('train-3-v0',3,'train','"train 4"',0,'done',-42.0,'turn up',NULL,'{"seconds": 0.006506164001621073, "tokens": 3, "usd": 0.0}',1.79525567470041632657e+09,1.79525567470692253109e+09);
INSERT INTO "episodes" VALUES('gate-0-v0',0,'gate','"gate 3"',0,'done',-42.0,'turn up',NULL,'{"seconds": 0.007031044999166625, "tokens": 3, "usd": 0.0}',1.79525567470057296755e+09,1.79525567470760393147e+09);
INSERT INTO "episodes" VALUES('gate-3-v0',3,'gate','"gate 1"',0,'done',-42.0,'turn up',NULL,'{"seconds": 0.0069639439971069805, "tokens": 3, "usd": 0.0}',1.79525567470064377787e+09,1.79525567470760774612e+09);
INSERT INTO "episodes" VALUES('train-1-v0',1,'train','"train 0"',0,'done',-42.0,'turn up',NULL,'{"seconds": 0.00730302100055269, "tokens": 3, "usd": 0.0}',1.79525567470030784607e+09,1.79525567470761084551e+09);
INSERT INTO "episodes" VALUES('gate-5-v0',5,'gate','"gate 0"',0,'done',-42.0,'turn up',NULL,'{"seconds": 0.00734460800231318, "tokens": 3, "usd": 0.0}',1.79525567470067858692e+09,1.79525567470802330976e+09);
INSERT INTO "episodes" VALUES('gate-6-v-1',6,'gate','"gate 3"',-1,'done',-35.0,'turn up',NULL,'{"seconds": 0.00010826899961102754, "tokens": 3, "usd": 0.0}',1.7952556747111291885e+09,1.79525567471123743057e+09);
INSERT INTO "episodes" VALUES('gate-7-v-1',7,'gate','"gate 2"',-1,'done',-35.0,'turn up',NULL,'{"seconds": 0.00010906399984378368, "tokens": 3, "usd": 0.0}',1.79525567471113157275e+09,1.79525567471124053e+09);
INSERT INTO "episodes" VALUES('gate-8-v-1',8,'gate','"gate 5"',-1,'done',-35.0,'turn up',NULL,'{"seconds": 6.742999903508462e-05, "tokens": 3, "usd": 0.0}',1.7952556747117135524e+09,1.7952556747117810249e+09);
INSERT INTO "episodes" VALUES('gate-11-v-1',11,'gate','"gate 0"',-1,'done',-35.0,'turn up',NULL,'{"seconds": 9.526400026516058e-05, "tokens": 3, "usd": 0.0}',1.79525567471237182618e+09,1.7952556747124671936e+09);
INSERT INTO "episodes" VALUES('gate-9-v-1',9,'gate','"gate 1"',-1,'done',-35.0,'turn up',NULL,'{"seconds": 0.00020408499767654575, "tokens": 3, "usd": 0.0}',1.79525567471226596828e+09,1795255674.71247);
INSERT INTO "episodes" VALUES('gate-10-v-1',10,'gate','"gate 4"',-1,'done',-35.0,'turn up',NULL,'{"seconds": 0.00020124400180066004, "tokens": 3, "usd": 0.0}',1.79525567471227073673e+09,1.79525567471247196192e+09);
INSERT INTO "episodes" VALUES('gate-12-v1',12,'gate','"gate 1"',1,'done',-35.0,'turn up',NULL,'{"seconds": 0.0002609490002214443, "tokens": 3, "usd": 0.0}',1.79525567533389520651e+09,1.79525567533415603637e+09);
INSERT INTO "episodes" VALUES('train-9-v1',9,'train','"train 7"',1,'done',-35.0,'turn up',NULL,'{"seconds": 0.0005405480005720165, "tokens": 3, "usd": 0.0}',1.79525567533601498599e+09,1.79525567533655548094e+09);
INSERT INTO "episodes" VALUES('train-8-v1',8,'train','"train 3"',1,'failed',NULL,'','the workflow raised ValueError: task train 3 is too hard','{"seconds": 0.0006896750019222964, "tokens": 3, "usd": 0.0}',1.79525567533586955068e+09,1.7952556753365592956e+09);
INSERT INTO "episodes" VALUES('train-5-v1',5,'train','"train 2"',1,'done',-35.0,'turn up',NULL,'{"seconds": 0.002239061999716796, "tokens": 3, "usd": 0.0}',1.7952556753357143402e+09,1.79525567533795332901e+09);
INSERT INTO "episodes" VALUES('gate-14-v1',14,'gate','"gate 3"',1,'done',-35.0,'turn up',NULL,'{"seconds": 0.0030686560021422338, "tokens": 3, "usd": 0.0}',1.79525567533634543421e+09,1.7952556753394141197e+09);
INSERT INTO "episodes" VALUES('gate-15-v1',15,'gate','"gate 5"',1,'done',-35.0,'turn up',NULL,'{"seconds": 0.0030776630010223016, "tokens": 3, "usd": 0.0}',1795255675.33634,1.79525567533941769597e+09);
INSERT INTO "episodes" VALUES('train-11-v1',11,'train','"train 4"',1,'done',-35.0,'turn up',NULL,'{"seconds": 0.0033374049999110866, "tokens": 3, "usd": 0.0}',1.7952556753360824585e+09,1.79525567533941984169e+09);
INSERT INTO "episodes" VALUES('train-6-v1',6,'train','"train 1"',1,'done',-35.0,'turn up',NULL,'{"seconds": 0.004315014000894735, "tokens": 3, "usd": 0.0}',1.79525567533575701713e+09,1.79525567534007191657e+09);
INSERT INTO "episodes" VALUES('train-7-v1',7,'train','"train 4"',1,'done',-35.0,'turn up',NULL,'{"seconds": 0.004725755003164522, "tokens": 3, "usd": 0.0}',1.79525567533594155311e+09,1.79525567534066724777e+09);
INSERT INTO "episodes" VALUES('train-10-v1',10,'train','"train 7"',1,'done',-35.0,'turn up',NULL,'{"seconds": 0.0045743000009679236, "tokens": 3, "usd": 0.0}',1.79525567533609557149e+09,1.79525567534066987033e+09);
INSERT INTO "episodes" VALUES('gate-16-v1',16,'gate','"gate 4"',1,'done',-35.0,'turn up',NULL,'{"seconds": 0.004340040999522898, "tokens": 3, "usd": 0.0}',1.79525567533633208273e+09,1.79525567534067201618e+09);
INSERT INTO "episodes" VALUES('train-4-v1',4,'train','"train 5"',1,'done',-35.0,'turn up',NULL,'{"seconds": 0.005085519998829113, "tokens": 3, "usd": 0.0}',1.79525567533561086655e+09,1.79525567534069633484e+09);
INSERT INTO "episodes" VALUES('gate-13-v1',13,'gate','"gate 0"',1,'done',-35.0,'turn up',NULL,'{"seconds": 0.005245137999736471, "tokens": 3, "usd": 0.0}',1.79525567533618116383e+09,1.79525567534142637248e+09);
INSERT INTO "episodes" VALUES('gate-17-v1',17,'gate','"gate 2"',1,'done',-35.0,'turn up',NULL,'{"seconds": 0.005086226003186312, "tokens": 3, "usd": 0.0}',1.79525567533634304996e+09,1.79525567534142923347e+09);
INSERT INTO "episodes" VALUES('gate-19-v-3',19,'gate','"gate 0"',-3,'done',-24.0,'turn up',NULL,'{"seconds": 9.221200161846355e-05, "tokens": 3, "usd": 0.0}',1.79525567534361052508e+09,1.79525567534370279311e+09);
INSERT INTO "episodes" VALUES('gate-18-v-3',18,'gate','"gate 1"',-3,'done',-24.0,'turn up',NULL,'{"seconds": 0.00022757400074624456, "tokens": 3, "usd": 0.0}',1.7952556753434782028e+09,1.79525567534370589263e+09);
INSERT INTO "episodes" VALUES('gate-20-v-3',20,'gate','"gate 3"',-3,'done',-24.0,'turn up',NULL,'{"seconds": 6.833299994468689e-05, "tokens": 3, "usd": 0.0}',1.79525567534434938427e+09,1.79525567534441781044e+09);
INSERT INTO "episodes" VALUES('gate-21-v-3',21,'gate','"gate 5"',-3,'done',-24.0,'turn up',NULL,'{"seconds": 0.00012885199976153672, "tokens": 3, "usd": 0.0}',1.79525567534501194954e+09,1.79525567534514069551e+09);
INSERT INTO "episodes" VALUES('gate-23-v-3',23,'gate','"gate 2"',-3,'done',-24.0,'turn up',NULL,'{"seconds": 0.00010474499867996201, "tokens": 3, "usd": 0.0}',1.79525567534503889088e+09,1.79525567534514355659e+09);
INSERT INTO "episodes" VALUES('gate-22-v-3',22,'gate','"gate 4"',-3,'done',-24.0,'turn up',NULL,'{"seconds": 0.0004922459993395023, "tokens": 3, "usd": 0.0}',1.79525567534501647943e+09,1.79525567534550881381e+09);
INSERT INTO "episodes" VALUES('train-14-v2',14,'train','"train 1"',2,'done',-24.0,'turn up',NULL,'{"seconds": 0.00026381499992567115, "tokens": 3, "usd": 0.0}',1.7952556753540372848e+09,1.79525567535430121421e+09);
INSERT INTO "episodes" VALUES('train-15-v2',15,'train','"train 8"',2,'done',-24.0,'turn up',NULL,'{"seconds": 0.0008119609992718324, "tokens": 3, "usd": 0.0}',1.79525567535414576529e+09,1.79525567535495781897e+09);
INSERT INTO "episodes" VALUES('gate-25-v-4',25,'gate','"gate 0"',-4,'done',-13.0,'turn up',NULL,'{"seconds": 0.0006494259978353512, "tokens": 3, "usd": 0.0}',1.79525567535431146621e+09,1.79525567535496091836e+09);
INSERT INTO "episodes" VALUES('gate-24-v-4',24,'gate','"gate 1"',-4,'done',-13.0,'turn up',NULL,'{"seconds": 0.0011727179989975411, "tokens": 3, "usd": 0.0}',1.79525567535425400727e+09,1.79525567535542678833e+09);
INSERT INTO "episodes" VALUES('train-13-v2',13,'train','"train 2"',2,'done',-24.0,'turn up',NULL,'{"seconds": 0.0020445090012799483, "tokens": 3, "usd": 0.0}',1.79525567535391163825e+09,1.79525567535595607752e+09);
INSERT INTO "episodes" VALUES('train-12-v2',12,'train','"train 3"',2,'failed',NULL,'','the workflow raised ValueError: task train 3 is too hard','{"seconds": 0.0025992900009441655, "tokens": 3, "usd": 0.0}',1.79525567535385012626e+09,1.79525567535644936566e+09);
INSERT INTO "episodes" VALUES('gate-26-v-4',26,'gate','"gate 3"',-4,'done',-13.0,'turn up',NULL,'{"seconds": 0.0005367350022424944, "tokens": 3, "usd": 0.0}',1.79525567535637354849e+09,1.79525567535691022869e+09);
INSERT INTO "episodes" VALUES('gate-27-v-4',27,'gate','"gate 5"',-4,'done',-13.0,'turn up',NULL,'{"seconds": 0.00011068700041505508, "tokens": 3, "usd": 0.0}',1.79525567535744786261e+09,1.79525567535755848887e+09);
INSERT INTO "episodes" VALUES('gate-28-v-4',28,'gate','"gate 4"',-4,'done',-13.0,'turn up',NULL,'{"seconds": 0.0004050479983561672, "tokens": 3, "usd": 0.0}',1.79525567535748410219e+09,1.79525567535788917539e+09);
INSERT INTO "episodes" VALUES('gate-29-v-4',29,'gate','"gate 2"',-4,'done',-13.0,'turn up',NULL,'{"seconds": 0.0006633010016230401, "tokens": 3, "usd": 0.0}',1.79525567535750961304e+09,1.79525567535817289358e+09);
CREATE TABLE events (
	seq INTEGER NOT NULL, 
	kind VARCHAR(60) NOT NULL, 
	data TEXT NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "events" VALUES(1,'RunStarted','{"config": {"budget": {"episodes": null, "estimate": null, "seconds": null, "tokens": null, "usd": null}, "counts": [10, 6], "first": 0, "gate": ["gate 0", "gate 1", "gate 2", "gate 3", "gate 4", "gate 5"], "head": 0, "held_out": false, "maker": {"given": true, "kind": "Scripted", "model": null}, "options": {"batch_size": 2, "concurrency": 16, "deadline": null, "deterministic": true, "gate": {"failure_score": null, "margin": 0.0, "rounds": [0.25, 0.5, 1.0], "z": 1.0}, "lag": 1, "max_staleness": 1, "proposals": 2, "seed": 0}, "train": ["train 0", "train 1", "train 2", "train 3", "train 4", "train 5", "train 6", "train 7", "train 8", "train 9"]}, "gate_tasks": 6, "held_out": false, "resumed": false, "spent": {"episodes": 0, "seconds": 0.050199159002659144, "tokens": 0, "usd": 0.0}, "train_tasks": 10}');
INSERT INTO "events" VALUES(2,'EpisodeEnded','{"episode": "gate-2-v0", "error": null, "outcome": "done", "read": ["dial"], "score": -42.0, "spent": {"episodes": 1, "seconds": 0.05240931200023624, "tokens": 3, "usd": 0.0}, "split": "gate", "version": 0}');
INSERT INTO "events" VALUES(3,'EpisodeEnded','{"episode": "gate-1-v0", "error": null, "outcome": "done", "read": ["dial"], "score": -42.0, "spent": {"episodes": 2, "seconds": 0.052498488999844994, "tokens": 6, "usd": 0.0}, "split": "gate", "version": 0}');
INSERT INTO "events" VALUES(4,'EpisodeEnded','{"episode": "train-2-v0", "error": null, "outcome": "done", "read": ["dial"], "score": -42.0, "spent": {"episodes": 3, "seconds": 0.05344435200095177, "tokens": 9, "usd": 0.0}, "split": "train", "version": 0}');
INSERT INTO "events" VALUES(5,'EpisodeEnded','{"episode": "train-0-v0", "error": null, "outcome": "done", "read": ["dial"], "score": -42.0, "spent": {"episodes": 4, "seconds": 0.05352297500212444, "tokens": 12, "usd": 0.0}, "split": "train", "version": 0}');
INSERT INTO "events" VALUES(6,'EpisodeEnded','{"episode": "gate-4-v0", "error": null, "outcome": "done", "read": ["dial"], "score": -42.0, "spent": {"episodes": 5, "seconds": 0.058384069001476746, "tokens": 15, "usd": 0.0}, "split": "gate", "version": 0}');
INSERT INTO "events" VALUES(7,'EpisodeEnded','{"episode": "train-3-v0", "error": null, "outcome": "done", "read": ["dial"], "score": -42.0, "spent": {"episodes": 6, "seconds": 0.058470152001973474, "tokens": 18, "usd": 0.0}, "split": "train", "version": 0}');
INSERT INTO "events" VALUES(8,'EpisodeEnded','{"episode": "gate-0-v0", "error": null, "outcome": "done", "read": ["dial"], "score": -42.0, "spent": {"episodes": 7, "seconds": 0.05904243800250697, "tokens": 21, "usd": 0.0}, "split": "gate", "version": 0}');
INSERT INTO "events" VALUES(9,'EpisodeEnded','{"episode": "gate-3-v0", "error": null, "outcome": "done", "read": ["dial"], "score": -42.0, "spent": {"episodes": 8, "seconds": 0.05910081100228126, "tokens": 24, "usd": 0.0}, "split": "gate", "version": 0}');
INSERT INTO "events" VALUES(10,'EpisodeEnded','{"episode": "train-1-v0", "error": null, "outcome": "done", "read": ["dial"], "score": -42.0, "spent": {"episodes": 9, "seconds": 0.05916204599998309, "tokens": 27, "usd": 0.0}, "split": "train", "version": 0}');
INSERT INTO "events" VALUES(11,'EpisodeEnded','{"episode": "gate-5-v0", "error": null, "outcome": "done", "read": ["dial"], "score": -42.0, "spent": {"episodes": 10, "seconds": 0.059566758001892595, "tokens": 30, "usd": 0.0}, "split": "gate", "version": 0}');
INSERT INTO "events" VALUES(12,'CurvePoint','{"decision": -1, "mean": -42.0, "se": 0.0, "version": 0}');
INSERT INTO "events" VALUES(13,'ProposalMade','{"changed": ["dial"], "number": 1, "problems": [], "spent": {"episodes": 10, "seconds": 0.062328274001629325, "tokens": 30, "usd": 0.0}}');
INSERT INTO "events" VALUES(14,'EpisodeEnded','{"episode": "gate-6-v-1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 11, "seconds": 0.06274966000273707, "tokens": 33, "usd": 0.0}, "split": "gate", "version": -1}');
INSERT INTO "events" VALUES(15,'EpisodeEnded','{"episode": "gate-7-v-1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 12, "seconds": 0.06279100800020387, "tokens": 36, "usd": 0.0}, "split": "gate", "version": -1}');
INSERT INTO "events" VALUES(16,'GateRound','{"evidence": {"baseline": 0, "candidate_mean": -35.0, "dropped": 0, "head_mean": -42.0, "mean": 7.0, "n": 2, "se": 0.0}, "number": 1, "spent": {"episodes": 12, "seconds": 0.0630742410030507, "tokens": 36, "usd": 0.0}}');
INSERT INTO "events" VALUES(17,'EpisodeEnded','{"episode": "gate-8-v-1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 13, "seconds": 0.06333430200174917, "tokens": 39, "usd": 0.0}, "split": "gate", "version": -1}');
INSERT INTO "events" VALUES(18,'GateRound','{"evidence": {"baseline": 0, "candidate_mean": -35.0, "dropped": 0, "head_mean": -42.0, "mean": 7.0, "n": 3, "se": 0.0}, "number": 1, "spent": {"episodes": 13, "seconds": 0.06356709600004251, "tokens": 39, "usd": 0.0}}');
INSERT INTO "events" VALUES(19,'EpisodeEnded','{"episode": "gate-11-v-1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 14, "seconds": 0.06395137900108239, "tokens": 42, "usd": 0.0}, "split": "gate", "version": -1}');
INSERT INTO "events" VALUES(20,'EpisodeEnded','{"episode": "gate-9-v-1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 15, "seconds": 0.06399110700294841, "tokens": 45, "usd": 0.0}, "split": "gate", "version": -1}');
INSERT INTO "events" VALUES(21,'EpisodeEnded','{"episode": "gate-10-v-1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 16, "seconds": 0.06402526500096428, "tokens": 48, "usd": 0.0}, "split": "gate", "version": -1}');
INSERT INTO "events" VALUES(22,'GateRound','{"evidence": {"baseline": 0, "candidate_mean": -35.0, "dropped": 0, "head_mean": -42.0, "mean": 7.0, "n": 6, "se": 0.0}, "number": 1, "spent": {"episodes": 16, "seconds": 0.06433337199996458, "tokens": 48, "usd": 0.0}}');
INSERT INTO "events" VALUES(23,'VersionPublished','{"changed": ["dial"], "evidence": {"baseline": 0, "candidate_mean": -35.0, "dropped": 0, "head_mean": -42.0, "mean": 7.0, "n": 6, "se": 0.0}, "number": 1, "spent": {"episodes": 16, "seconds": 0.06663123200269183, "tokens": 48, "usd": 0.0}, "version": 1}');
INSERT INTO "events" VALUES(24,'CurvePoint','{"decision": 0, "mean": -35.0, "se": 0.0, "version": 1}');
INSERT INTO "events" VALUES(25,'ProposalMade','{"changed": [], "number": 2, "problems": [], "spent": {"episodes": 16, "seconds": 0.06761832000120194, "tokens": 48, "usd": 0.0}}');
INSERT INTO "events" VALUES(26,'ProposalRejected','{"number": 2, "reason": "the optimizer proposed no change", "spent": {"episodes": 16, "seconds": 0.06771480300085386, "tokens": 48, "usd": 0.0}, "state": "noop"}');
INSERT INTO "events" VALUES(27,'CurvePoint','{"decision": 1, "mean": -35.0, "se": 0.0, "version": 1}');
INSERT INTO "events" VALUES(28,'Labelled','{"label": "production", "version": 1}');
INSERT INTO "events" VALUES(29,'RunStarted','{"config": {"budget": {"episodes": 400, "estimate": null, "seconds": null, "tokens": 10000, "usd": null}, "counts": [10, 6], "first": 4, "gate": ["gate 0", "gate 1", "gate 2", "gate 3", "gate 4", "gate 5"], "head": 1, "held_out": false, "maker": {"given": true, "kind": "Remembering", "model": null}, "options": {"batch_size": 4, "concurrency": 16, "deadline": null, "deterministic": true, "gate": {"failure_score": null, "margin": 0.0, "rounds": [0.25, 0.5, 1.0], "z": 1.0}, "lag": 1, "max_staleness": 1, "proposals": 10, "seed": 5}, "train": ["train 0", "train 1", "train 2", "train 3", "train 4", "train 5", "train 6", "train 7", "train 8", "train 9"]}, "gate_tasks": 6, "held_out": false, "resumed": false, "spent": {"episodes": 0, "seconds": 0.029611401001602644, "tokens": 0, "usd": 0.0}, "train_tasks": 10}');
INSERT INTO "events" VALUES(30,'EpisodeEnded','{"episode": "gate-12-v1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 1, "seconds": 0.031784350001544226, "tokens": 3, "usd": 0.0}, "split": "gate", "version": 1}');
INSERT INTO "events" VALUES(31,'EpisodeEnded','{"episode": "train-9-v1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 2, "seconds": 0.034775928001181455, "tokens": 6, "usd": 0.0}, "split": "train", "version": 1}');
INSERT INTO "events" VALUES(32,'EpisodeEnded','{"episode": "train-8-v1", "error": "the workflow raised ValueError: task train 3 is too hard", "outcome": "failed", "read": ["dial"], "score": null, "spent": {"episodes": 3, "seconds": 0.03487849000157439, "tokens": 9, "usd": 0.0}, "split": "train", "version": 1}');
INSERT INTO "events" VALUES(33,'EpisodeEnded','{"episode": "train-5-v1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 4, "seconds": 0.036240118999558035, "tokens": 12, "usd": 0.0}, "split": "train", "version": 1}');
INSERT INTO "events" VALUES(34,'EpisodeEnded','{"episode": "gate-14-v1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 5, "seconds": 0.037573156998405466, "tokens": 15, "usd": 0.0}, "split": "gate", "version": 1}');
INSERT INTO "events" VALUES(35,'EpisodeEnded','{"episode": "gate-15-v1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 6, "seconds": 0.03763738899942837, "tokens": 18, "usd": 0.0}, "split": "gate", "version": 1}');
INSERT INTO "events" VALUES(36,'EpisodeEnded','{"episode": "train-11-v1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 7, "seconds": 0.03773151399946073, "tokens": 21, "usd": 0.0}, "split": "train", "version": 1}');
INSERT INTO "events" VALUES(37,'EpisodeEnded','{"episode": "train-6-v1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 8, "seconds": 0.03837056499833125, "tokens": 24, "usd": 0.0}, "split": "train", "version": 1}');
INSERT INTO "events" VALUES(38,'EpisodeEnded','{"episode": "train-7-v1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 9, "seconds": 0.03885339300177293, "tokens": 27, "usd": 0.0}, "split": "train", "version": 1}');
INSERT INTO "events" VALUES(39,'EpisodeEnded','{"episode": "train-10-v1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 10, "seconds": 0.03890082499856362, "tokens": 30, "usd": 0.0}, "split": "train", "version": 1}');
INSERT INTO "events" VALUES(40,'EpisodeEnded','{"episode": "gate-16-v1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 11, "seconds": 0.03893392000099993, "tokens": 33, "usd": 0.0}, "split": "gate", "version": 1}');
INSERT INTO "events" VALUES(41,'EpisodeEnded','{"episode": "train-4-v1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 12, "seconds": 0.038994033999188105, "tokens": 36, "usd": 0.0}, "split": "train", "version": 1}');
INSERT INTO "events" VALUES(42,'EpisodeEnded','{"episode": "gate-13-v1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 13, "seconds": 0.039692246999038616, "tokens": 39, "usd": 0.0}, "split": "gate", "version": 1}');
INSERT INTO "events" VALUES(43,'EpisodeEnded','{"episode": "gate-17-v1", "error": null, "outcome": "done", "read": ["dial"], "score": -35.0, "spent": {"episodes": 14, "seconds": 0.03974074000143446, "tokens": 42, "usd": 0.0}, "split": "gate", "version": 1}');
INSERT INTO "events" VALUES(44,'CurvePoint','{"decision": -1, "mean": -35.0, "se": 0.0, "version": 1}');
INSERT INTO "events" VALUES(45,'ProposalMade','{"changed": ["dial"], "number": 3, "problems": [], "spent": {"episodes": 14, "seconds": 0.04150889499942423, "tokens": 47, "usd": 0.0}}');
INSERT INTO "events" VALUES(46,'EpisodeEnded','{"episode": "gate-19-v-3", "error": null, "outcome": "done", "read": ["dial"], "score": -24.0, "spent": {"episodes": 15, "seconds": 0.041978641998866806, "tokens": 50, "usd": 0.0}, "split": "gate", "version": -3}');
INSERT INTO "events" VALUES(47,'EpisodeEnded','{"episode": "gate-18-v-3", "error": null, "outcome": "done", "read": ["dial"], "score": -24.0, "spent": {"episodes": 16, "seconds": 0.042024957001558505, "tokens": 53, "usd": 0.0}, "split": "gate", "version": -3}');
INSERT INTO "events" VALUES(48,'GateRound','{"evidence": {"baseline": 1, "candidate_mean": -24.0, "dropped": 0, "head_mean": -35.0, "mean": 11.0, "n": 2, "se": 0.0}, "number": 3, "spent": {"episodes": 16, "seconds": 0.04243292300088797, "tokens": 53, "usd": 0.0}}');
INSERT INTO "events" VALUES(49,'EpisodeEnded','{"episode": "gate-20-v-3", "error": null, "outcome": "done", "read": ["dial"], "score": -24.0, "spent": {"episodes": 17, "seconds": 0.04273589299918967, "tokens": 56, "usd": 0.0}, "split": "gate", "version": -3}');
INSERT INTO "events" VALUES(50,'GateRound','{"evidence": {"baseline": 1, "candidate_mean": -24.0, "dropped": 0, "head_mean": -35.0, "mean": 11.0, "n": 3, "se": 0.0}, "number": 3, "spent": {"episodes": 17, "seconds": 0.04301706299884245, "tokens": 56, "usd": 0.0}}');
INSERT INTO "events" VALUES(51,'EpisodeEnded','{"episode": "gate-21-v-3", "error": null, "outcome": "done", "read": ["dial"], "score": -24.0, "spent": {"episodes": 18, "seconds": 0.04341883700180915, "tokens": 59, "usd": 0.0}, "split": "gate", "version": -3}');
INSERT INTO "events" VALUES(52,'EpisodeEnded','{"episode": "gate-23-v-3", "error": null, "outcome": "done", "read": ["dial"], "score": -24.0, "spent": {"episodes": 19, "seconds": 0.04346294599963585, "tokens": 62, "usd": 0.0}, "split": "gate", "version": -3}');
INSERT INTO "events" VALUES(53,'EpisodeEnded','{"episode": "gate-22-v-3", "error": null, "outcome": "done", "read": ["dial"], "score": -24.0, "spent": {"episodes": 20, "seconds": 0.04382043599980534, "tokens": 65, "usd": 0.0}, "split": "gate", "version": -3}');
INSERT INTO "events" VALUES(54,'GateRound','{"evidence": {"baseline": 1, "candidate_mean": -24.0, "dropped": 0, "head_mean": -35.0, "mean": 11.0, "n": 6, "se": 0.0}, "number": 3, "spent": {"episodes": 20, "seconds": 0.04409658000076888, "tokens": 65, "usd": 0.0}}');
INSERT INTO "events" VALUES(55,'VersionPublished','{"changed": ["dial"], "evidence": {"baseline": 1, "candidate_mean": -24.0, "dropped": 0, "head_mean": -35.0, "mean": 11.0, "n": 6, "se": 0.0}, "number": 3, "spent": {"episodes": 20, "seconds": 0.05031649100055802, "tokens": 65, "usd": 0.0}, "version": 2}');
INSERT INTO "events" VALUES(56,'CurvePoint','{"decision": 0, "mean": -24.0, "se": 0.0, "version": 2}');
INSERT INTO "events" VALUES(57,'ProposalMade','{"changed": ["dial"], "number": 4, "problems": [], "spent": {"episodes": 20, "seconds": 0.051753771000221604, "tokens": 70, "usd": 0.0}}');
INSERT INTO "events" VALUES(58,'EpisodeEnded','{"episode": "train-14-v2", "error": null, "outcome": "done", "read": ["dial"], "score": -24.0, "spent": {"episodes": 21, "seconds": 0.05252111200024956, "tokens": 73, "usd": 0.0}, "split": "train", "version": 2}');
INSERT INTO "events" VALUES(59,'EpisodeEnded','{"episode": "train-15-v2", "error": null, "outcome": "done", "read": ["dial"], "score": -24.0, "spent": {"episodes": 22, "seconds": 0.05321765600092476, "tokens": 76, "usd": 0.0}, "split": "train", "version": 2}');
INSERT INTO "events" VALUES(60,'EpisodeEnded','{"episode": "gate-25-v-4", "error": null, "outcome": "done", "read": ["dial"], "score": -13.0, "spent": {"episodes": 23, "seconds": 0.05326330499883625, "tokens": 79, "usd": 0.0}, "split": "gate", "version": -4}');
INSERT INTO "events" VALUES(61,'EpisodeEnded','{"episode": "gate-24-v-4", "error": null, "outcome": "done", "read": ["dial"], "score": -13.0, "spent": {"episodes": 24, "seconds": 0.05373707699982333, "tokens": 82, "usd": 0.0}, "split": "gate", "version": -4}');
INSERT INTO "events" VALUES(62,'GateRound','{"evidence": {"baseline": 2, "candidate_mean": -13.0, "dropped": 0, "head_mean": -24.0, "mean": 11.0, "n": 2, "se": 0.0}, "number": 4, "spent": {"episodes": 24, "seconds": 0.05402273499930743, "tokens": 82, "usd": 0.0}}');
INSERT INTO "events" VALUES(63,'EpisodeEnded','{"episode": "train-13-v2", "error": null, "outcome": "done", "read": ["dial"], "score": -24.0, "spent": {"episodes": 25, "seconds": 0.054264833001070656, "tokens": 85, "usd": 0.0}, "split": "train", "version": 2}');
INSERT INTO "events" VALUES(64,'EpisodeEnded','{"episode": "train-12-v2", "error": "the workflow raised ValueError: task train 3 is too hard", "outcome": "failed", "read": ["dial"], "score": null, "spent": {"episodes": 26, "seconds": 0.054768280999269336, "tokens": 88, "usd": 0.0}, "split": "train", "version": 2}');
INSERT INTO "events" VALUES(65,'EpisodeEnded','{"episode": "gate-26-v-4", "error": null, "outcome": "done", "read": ["dial"], "score": -13.0, "spent": {"episodes": 27, "seconds": 0.05522723399917595, "tokens": 91, "usd": 0.0}, "split": "gate", "version": -4}');
INSERT INTO "events" VALUES(66,'GateRound','{"evidence": {"baseline": 2, "candidate_mean": -13.0, "dropped": 0, "head_mean": -24.0, "mean": 11.0, "n": 3, "se": 0.0}, "number": 4, "spent": {"episodes": 27, "seconds": 0.055489252001279965, "tokens": 91, "usd": 0.0}}');
INSERT INTO "events" VALUES(67,'EpisodeEnded','{"episode": "gate-27-v-4", "error": null, "outcome": "done", "read": ["dial"], "score": -13.0, "spent": {"episodes": 28, "seconds": 0.05586915399908321, "tokens": 94, "usd": 0.0}, "split": "gate", "version": -4}');
INSERT INTO "events" VALUES(68,'EpisodeEnded','{"episode": "gate-28-v-4", "error": null, "outcome": "done", "read": ["dial"], "score": -13.0, "spent": {"episodes": 29, "seconds": 0.056202579999080626, "tokens": 97, "usd": 0.0}, "split": "gate", "version": -4}');
INSERT INTO "events" VALUES(69,'EpisodeEnded','{"episode": "gate-29-v-4", "error": null, "outcome": "done", "read": ["dial"], "score": -13.0, "spent": {"episodes": 30, "seconds": 0.05649097299829009, "tokens": 100, "usd": 0.0}, "split": "gate", "version": -4}');
INSERT INTO "events" VALUES(70,'GateRound','{"evidence": {"baseline": 2, "candidate_mean": -13.0, "dropped": 0, "head_mean": -24.0, "mean": 11.0, "n": 6, "se": 0.0}, "number": 4, "spent": {"episodes": 30, "seconds": 0.05911561500033713, "tokens": 100, "usd": 0.0}}');
INSERT INTO "events" VALUES(71,'VersionPublished','{"changed": ["dial"], "evidence": {"baseline": 2, "candidate_mean": -13.0, "dropped": 0, "head_mean": -24.0, "mean": 11.0, "n": 6, "se": 0.0}, "number": 4, "spent": {"episodes": 30, "seconds": 0.06006603299829294, "tokens": 100, "usd": 0.0}, "version": 3}');
INSERT INTO "events" VALUES(72,'CurvePoint','{"decision": 1, "mean": -13.0, "se": 0.0, "version": 3}');
INSERT INTO "events" VALUES(73,'ProposalMade','{"changed": ["dial"], "number": 5, "problems": [], "spent": {"episodes": 30, "seconds": 0.06496759799847496, "tokens": 105, "usd": 0.0}}');
CREATE TABLE labels (
	name VARCHAR(120) NOT NULL, 
	version INTEGER NOT NULL, 
	PRIMARY KEY (name), 
	FOREIGN KEY(version) REFERENCES versions (id)
);
INSERT INTO "labels" VALUES('production',1);
CREATE TABLE pending (
	episode VARCHAR(120) NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (episode)
);
INSERT INTO "pending" VALUES('train-14-v2','{"graph": {"schema": 1, "episode": "train-14-v2", "version": 2, "nodes": [{"id": "p:dial", "kind": "parameter", "name": "dial", "value": 18, "agent": null, "description": "", "error": null, "finished": true, "spans": [], "operation": "", "constants": {}}, {"id": "out", "kind": "output", "name": "out", "value": 18, "agent": null, "description": "", "error": null, "finished": true, "spans": [], "operation": "", "constants": {}}], "edges": [{"source": "p:dial", "target": "out", "reason": "declared", "label": ""}], "problems": []}, "read": ["dial"]}');
INSERT INTO "pending" VALUES('train-15-v2','{"graph": {"schema": 1, "episode": "train-15-v2", "version": 2, "nodes": [{"id": "p:dial", "kind": "parameter", "name": "dial", "value": 18, "agent": null, "description": "", "error": null, "finished": true, "spans": [], "operation": "", "constants": {}}, {"id": "out", "kind": "output", "name": "out", "value": 18, "agent": null, "description": "", "error": null, "finished": true, "spans": [], "operation": "", "constants": {}}], "edges": [{"source": "p:dial", "target": "out", "reason": "declared", "label": ""}], "problems": []}, "read": ["dial"]}');
INSERT INTO "pending" VALUES('train-13-v2','{"graph": {"schema": 1, "episode": "train-13-v2", "version": 2, "nodes": [{"id": "p:dial", "kind": "parameter", "name": "dial", "value": 18, "agent": null, "description": "", "error": null, "finished": true, "spans": [], "operation": "", "constants": {}}, {"id": "out", "kind": "output", "name": "out", "value": 18, "agent": null, "description": "", "error": null, "finished": true, "spans": [], "operation": "", "constants": {}}], "edges": [{"source": "p:dial", "target": "out", "reason": "declared", "label": ""}], "problems": []}, "read": ["dial"]}');
INSERT INTO "pending" VALUES('train-12-v2','{"graph": {"schema": 1, "episode": "train-12-v2", "version": 2, "nodes": [{"id": "p:dial", "kind": "parameter", "name": "dial", "value": 18, "agent": null, "description": "", "error": null, "finished": true, "spans": [], "operation": "", "constants": {}}, {"id": "out", "kind": "output", "name": "out", "value": 18, "agent": null, "description": "", "error": null, "finished": true, "spans": [], "operation": "", "constants": {}}], "edges": [{"source": "p:dial", "target": "out", "reason": "declared", "label": ""}], "problems": []}, "read": ["dial"]}');
CREATE TABLE proposals (
	number INTEGER NOT NULL, 
	base INTEGER NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	changes TEXT NOT NULL, 
	reasoning TEXT NOT NULL, 
	problems TEXT NOT NULL, 
	evidence TEXT, 
	version INTEGER, 
	tokens INTEGER NOT NULL, 
	usd FLOAT NOT NULL, 
	PRIMARY KEY (number), 
	FOREIGN KEY(base) REFERENCES versions (id), 
	FOREIGN KEY(version) REFERENCES versions (id)
);
INSERT INTO "proposals" VALUES(1,0,'committed','{"dial": 7}','','[]','{"n": 6, "mean": 7.0, "se": 0.0, "head_mean": -42.0, "candidate_mean": -35.0, "baseline": 0, "dropped": 0}',1,0,0.0);
INSERT INTO "proposals" VALUES(2,1,'noop','{}','','["the optimizer proposed no change"]',NULL,NULL,0,0.0);
INSERT INTO "proposals" VALUES(3,1,'committed','{"dial": 18}','climb','[]','{"n": 6, "mean": 11.0, "se": 0.0, "head_mean": -35.0, "candidate_mean": -24.0, "baseline": 1, "dropped": 0}',2,5,0.0);
INSERT INTO "proposals" VALUES(4,2,'committed','{"dial": 29}','climb','[]','{"n": 6, "mean": 11.0, "se": 0.0, "head_mean": -24.0, "candidate_mean": -13.0, "baseline": 2, "dropped": 0}',3,5,0.0);
CREATE TABLE versions (
	id INTEGER NOT NULL, 
	parent INTEGER, 
	values_json TEXT NOT NULL, 
	changed TEXT NOT NULL, 
	evidence TEXT, 
	reasoning TEXT NOT NULL, 
	origin VARCHAR(20) NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (parent), 
	FOREIGN KEY(parent) REFERENCES versions (id)
);
INSERT INTO "versions" VALUES(0,NULL,'{"dial": 0}','[]',NULL,'','initial');
INSERT INTO "versions" VALUES(1,0,'{"dial": 7}','["dial"]','{"n": 6, "mean": 7.0, "se": 0.0, "head_mean": -42.0, "candidate_mean": -35.0, "baseline": 0, "dropped": 0}','','proposal');
INSERT INTO "versions" VALUES(2,1,'{"dial": 18}','["dial"]','{"n": 6, "mean": 11.0, "se": 0.0, "head_mean": -35.0, "candidate_mean": -24.0, "baseline": 1, "dropped": 0}','climb','proposal');
INSERT INTO "versions" VALUES(3,2,'{"dial": 29}','["dial"]','{"n": 6, "mean": 11.0, "se": 0.0, "head_mean": -24.0, "candidate_mean": -13.0, "baseline": 2, "dropped": 0}','climb','proposal');
CREATE TRIGGER versions_no_update BEFORE update ON versions BEGIN SELECT RAISE(ABORT, 'versions is append-only'); END;
CREATE TRIGGER versions_no_delete BEFORE delete ON versions BEGIN SELECT RAISE(ABORT, 'versions is append-only'); END;
CREATE TRIGGER events_no_update BEFORE update ON events BEGIN SELECT RAISE(ABORT, 'events is append-only'); END;
CREATE TRIGGER events_no_delete BEFORE delete ON events BEGIN SELECT RAISE(ABORT, 'events is append-only'); END;
CREATE INDEX ix_episodes_split ON episodes (split);
COMMIT;
